//! `[server]`: the port and what may come in through it.

use super::layers::Layers;

/// See the module.
#[derive(Clone, Debug)]
pub struct Server {
    /// Address and port.
    pub listen: String,
    /// Connections open at a time; one more waits.
    pub connections_max: usize,
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
            body_max: layers.bytes_count("server.body_max", 1 << 20),
            batch_max: layers.count("server.batch_max", 10_000),
            depth_max: layers.count("server.depth_max", 64),
            workers: layers.count("server.workers", cores),
        }
    }
}
