//! `[server]`: the port and what may come in through it.

use std::time::Duration;

use super::layers::Layers;

/// See the module.
#[derive(Clone, Debug)]
pub struct Server {
    /// Address and port.
    pub listen: String,
    /// Connections open at a time; for one more, one that does nothing goes.
    pub connections_max: usize,
    /// How long a connection may rest between requests.
    pub idle_timeout: Duration,
    /// How long the headers of a request may take.
    pub header_timeout: Duration,
    /// How long the body of a request may take.
    pub body_timeout: Duration,
    /// Longest request body, in bytes.
    pub body_max: usize,
    /// Messages of one batch.
    pub batch_max: usize,
    /// Deepest nesting of a JSON body.
    pub depth_max: usize,
    /// Threads that serve requests and perform effects.
    pub workers: usize,
}

impl Server {
    /// Reads the section.
    pub fn read(layers: &Layers) -> Server {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Server {
            listen: layers.text("server.listen", "127.0.0.1:8085"),
            connections_max: layers.count("server.connections_max", 10_000),
            idle_timeout: layers.duration("server.idle_timeout", Duration::from_secs(60)),
            header_timeout: layers.duration("server.header_timeout", Duration::from_secs(10)),
            body_timeout: layers.duration("server.body_timeout", Duration::from_secs(30)),
            body_max: layers.bytes_count("server.body_max", 16 << 20),
            batch_max: layers.count("server.batch_max", 10_000),
            depth_max: layers.count("server.depth_max", 64),
            workers: layers.count("server.workers", cores),
        }
    }
}
