//! Resolves names, and hands out only addresses that the host allows under that name. The check
//! sits here because an address that was checked earlier may not be the one that is dialled.

use std::error::Error;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::allow::{Allow, Refused};

pub(super) struct Resolver {
    allow: Arc<Allow>,
}

impl Resolver {
    pub(super) fn new(allow: Arc<Allow>) -> Arc<Resolver> {
        Arc::new(Resolver { allow })
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allow = Arc::clone(&self.allow);
        Box::pin(async move {
            let found: Vec<SocketAddr> =
                tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let addresses: Vec<IpAddr> = found.iter().map(SocketAddr::ip).collect();
            allow.check_addresses(name.as_str(), &addresses)?;
            let found: Addrs = Box::new(found.into_iter());
            Ok(found)
        })
    }
}

/// The refusal behind a failed request, if there is one.
pub(super) fn refusal(error: &reqwest::Error) -> Option<&Refused> {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(current) = cause {
        if let Some(refused) = current.downcast_ref::<Refused>() {
            return Some(refused);
        }
        cause = current.source();
    }
    None
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("resolves to an address that is not allowed")
    }
}

impl Error for Refused {}
