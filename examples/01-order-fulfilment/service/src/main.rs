//! Payment, stock and carrier on one port: what the example's effects call.
//!
//! In reading order: [`ledger`] what is done for a request, [`journal`] that it stays done after a
//! kill, [`fault`] what breaks on demand, [`routes`] the HTTP around them.

mod fault;
mod journal;
mod ledger;
mod routes;

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Parser;

/// Payment, stock and carrier for the order fulfilment example.
#[derive(Parser)]
#[command(name = "order-service", version)]
struct Arguments {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
    /// File that keeps what happened; without it everything is forgotten at the end.
    #[arg(long)]
    journal: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    let journal = match &arguments.journal {
        Some(path) => journal::Journal::open(path)?,
        None => journal::Journal::in_memory(),
    };
    let listener = tokio::net::TcpListener::bind(arguments.listen).await?;
    announce(listener.local_addr()?);
    let shop = Arc::new(routes::Shop::new(journal));
    axum::serve(listener, routes::router(shop)).await?;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "scripts and tests wait for this line")]
fn announce(address: SocketAddr) {
    println!("ready http://{address}");
}
