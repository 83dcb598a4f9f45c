//! What the host allows HTTP effects to reach, by name and by the address behind the name.

use std::net::IpAddr;

use reqwest::Url;

use crate::BuildError;

/// The parsed `[effects.http] allow`.
#[derive(Clone, Debug)]
pub struct Allow {
    entries: Vec<String>,
    loopback: bool,
    targets: Vec<Target>,
    networks: Vec<Network>,
}

#[derive(Clone, Debug)]
struct Target {
    /// A name in lower case without a trailing dot, or an address.
    host: Host,
    port: u16,
}

#[derive(Clone, Debug, PartialEq)]
enum Host {
    Name(String),
    Address(IpAddr),
}

#[derive(Clone, Copy, Debug)]
struct Network {
    base: IpAddr,
    bits: u32,
}

/// A target that is not allowed.
#[derive(Clone, Debug)]
pub struct Refused {
    host: String,
    port: u16,
    /// The address behind the name that is not allowed, when the name itself would be.
    address: Option<IpAddr>,
    listed: bool,
}

impl Allow {
    /// Reads the entries.
    pub fn parse(entries: &[String]) -> Result<Allow, BuildError> {
        let mut allow = Allow {
            entries: entries.to_vec(),
            loopback: false,
            targets: Vec::new(),
            networks: Vec::new(),
        };
        for entry in entries {
            if entry == "loopback" {
                allow.loopback = true;
            } else if let Some(network) = Network::parse(entry) {
                allow.networks.push(network);
            } else if let Some(target) = Target::parse(entry) {
                allow.targets.push(target);
            } else {
                return Err(BuildError::Allow { entry: entry.clone() });
            }
        }
        Ok(allow)
    }

    /// Whether a request may set out for this URL. A name that passes here is judged once more by
    /// [`Allow::check_addresses`].
    pub fn check_target(&self, url: &Url) -> Result<(), Refused> {
        let port = url.port_or_known_default().unwrap_or(0);
        let text = url.host_str().unwrap_or_default();
        let host = Host::parse(text);
        let listed = self.lists(&host);
        let exact = self.targets.iter().any(|target| target.host == host && target.port == port);
        let allowed = match &host {
            Host::Address(address) => exact || self.covers(*address),
            // A listed name is bound to its ports; any other must lead to an allowed address.
            Host::Name(_) => exact || (!listed && (self.loopback || !self.networks.is_empty())),
        };
        if allowed {
            return Ok(());
        }
        Err(Refused { host: text.to_owned(), port, address: None, listed: false })
    }

    /// Whether every address that a name resolved to may be reached under that name.
    pub fn check_addresses(&self, name: &str, addresses: &[IpAddr]) -> Result<(), Refused> {
        let host = Host::parse(name);
        let listed = self.lists(&host);
        let local = name == "localhost" || name.ends_with(".localhost");
        for address in addresses {
            let address = address.to_canonical();
            let by_name = listed && (!is_special(address) || (local && address.is_loopback()));
            if !by_name && !self.covers(address) {
                return Err(Refused {
                    host: name.to_owned(),
                    port: 0,
                    address: Some(address),
                    listed,
                });
            }
        }
        Ok(())
    }

    fn lists(&self, host: &Host) -> bool {
        self.targets.iter().any(|target| target.host == *host)
    }

    fn covers(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        (self.loopback && address.is_loopback())
            || self.networks.iter().any(|network| network.holds(address))
    }
}

impl Refused {
    pub(super) fn with_port(&self, port: u16) -> Refused {
        Refused { port, ..self.clone() }
    }

    /// What happened and the line to add.
    pub(super) fn message(&self, allow: &Allow) -> String {
        let target = format!("{}:{}", self.host, self.port);
        let (what, entry) = match self.address {
            Some(address) if self.listed => (
                format!("{target} resolves to {address}, which its name does not allow"),
                format!("{address}/{}", if address.is_ipv4() { 32 } else { 128 }),
            ),
            Some(address) => {
                (format!("{target} resolves to {address}, which is not allowed"), target)
            }
            None => (format!("{target} is not allowed"), target),
        };
        let entries: Vec<_> = allow.entries.iter().chain([&entry]).collect();
        format!("{what}; to allow it, set in onex.toml: [effects.http] allow = {entries:?}")
    }
}

impl Host {
    fn parse(text: &str) -> Host {
        let bare = text.trim_start_matches('[').trim_end_matches(']');
        match bare.parse::<IpAddr>() {
            Ok(address) => Host::Address(address.to_canonical()),
            Err(_) => Host::Name(bare.trim_end_matches('.').to_ascii_lowercase()),
        }
    }
}

impl Target {
    fn parse(entry: &str) -> Option<Target> {
        // The URL parser knows which names are names, and how an IPv6 address is written.
        let url = Url::parse(&format!("http://{entry}/")).ok()?;
        let (host, port) = entry.rsplit_once(':')?;
        let plain = url.username().is_empty() && url.password().is_none() && url.path() == "/";
        if !plain || url.query().is_some() || url.fragment().is_some() || host.is_empty() {
            return None;
        }
        Some(Target {
            host: Host::parse(url.host_str()?),
            port: port.parse().ok().filter(|port| *port != 0)?,
        })
    }
}

impl Network {
    fn parse(entry: &str) -> Option<Network> {
        let (base, bits) = entry.split_once('/')?;
        let base: IpAddr = base.parse().ok()?;
        let bits: u32 = bits.parse().ok()?;
        (bits <= width(base)).then_some(Network { base, bits })
    }

    fn holds(self, address: IpAddr) -> bool {
        width(self.base) == width(address) && self.prefix(self.base) == self.prefix(address)
    }

    fn prefix(self, address: IpAddr) -> u128 {
        let number = match address {
            IpAddr::V4(v4) => u128::from(v4.to_bits()),
            IpAddr::V6(v6) => v6.to_bits(),
        };
        number.checked_shr(width(address) - self.bits).unwrap_or_default()
    }
}

fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// Addresses that no public name has any business to stand for: the host itself, its link (where
/// clouds serve credentials) and groups.
fn is_special(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            v4.is_loopback()
                || v4.is_unspecified()
                || v4.is_link_local()
                || v4.is_multicast()
                || v4.is_broadcast()
        }
        IpAddr::V6(v6) => {
            v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_unicast_link_local()
                || v6.is_multicast()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allow(entries: &[&str]) -> Allow {
        let entries: Vec<_> = entries.iter().map(|e| (*e).to_owned()).collect();
        Allow::parse(&entries).expect("valid entries")
    }

    #[test]
    fn a_target_is_allowed_by_name_and_port_by_network_or_as_loopback() {
        let cases: &[(&[&str], &str, bool)] = &[
            (&["loopback"], "http://127.0.0.1:9/", true),
            (&["loopback"], "http://127.1.2.3/", true),
            (&["loopback"], "http://[::1]:9/", true),
            (&["loopback"], "http://[::ffff:127.0.0.1]/", true),
            (&["loopback"], "http://2130706433/", true),
            (&["loopback"], "http://0.0.0.0/", false),
            (&["loopback"], "http://10.0.0.1/", false),
            (&["loopback"], "http://169.254.169.254/latest", false),
            (&[], "http://127.0.0.1/", false),
            (&[], "http://localhost/", false),
            (&["api.example.com:443"], "https://api.example.com/", true),
            (&["api.example.com:443"], "https://API.example.com./x", true),
            (&["api.example.com:443"], "http://api.example.com/", false),
            (&["api.example.com:443"], "https://example.com/", false),
            (&["loopback", "a.example:443"], "http://a.example/", false),
            (&["10.0.0.0/8"], "http://10.200.0.1:81/", true),
            (&["10.0.0.0/8"], "http://11.0.0.1/", false),
            (&["0.0.0.0/0"], "http://8.8.8.8/", true),
            (&["fd00::/8"], "http://[fd12::1]/", true),
            (&["10.1.1.1:80"], "http://10.1.1.1/", true),
            (&["10.1.1.1:80"], "http://10.1.1.1:81/", false),
            (&["[fd12::1]:80"], "http://[fd12::1]/", true),
        ];
        for (entries, url, expected) in cases {
            let url = Url::parse(url).expect("valid URL");
            let answer = allow(entries).check_target(&url);
            assert_eq!(answer.is_ok(), *expected, "{entries:?} {url}");
        }
    }

    #[test]
    fn a_name_may_lead_only_where_its_entry_means() {
        let cases: &[(&[&str], &str, &[&str], bool)] = &[
            (&["loopback"], "localhost", &["127.0.0.1", "::1"], true),
            (&["loopback"], "evil.example", &["127.0.0.1", "8.8.8.8"], false),
            (&["a.example:80"], "a.example", &["93.184.216.34"], true),
            (&["a.example:80"], "a.example", &["10.0.0.7"], true),
            (&["a.example:80"], "a.example", &["127.0.0.1"], false),
            (&["a.example:80"], "a.example", &["::ffff:127.0.0.1"], false),
            (&["a.example:80"], "a.example", &["169.254.169.254"], false),
            (&["a.example:80"], "a.example", &["fe80::1"], false),
            (&["a.example:80", "loopback"], "a.example", &["127.0.0.1"], true),
            (&["localhost:80"], "localhost", &["127.0.0.1"], true),
            (&["10.0.0.0/8"], "b.example", &["10.0.0.7"], true),
            (&["10.0.0.0/8"], "b.example", &["10.0.0.7", "1.1.1.1"], false),
        ];
        for (entries, name, addresses, expected) in cases {
            let addresses: Vec<IpAddr> =
                addresses.iter().map(|a| a.parse().expect("valid address")).collect();
            let answer = allow(entries).check_addresses(name, &addresses);
            assert_eq!(answer.is_ok(), *expected, "{entries:?} {name} {addresses:?}");
        }
    }

    #[test]
    fn an_entry_that_means_nothing_is_refused() {
        for entry in [
            "",
            "example.com",
            "example.com:",
            "example.com:0",
            "example.com:99999",
            "https://example.com:443",
            "user@example.com:80",
            "example.com:80/path",
            "10.0.0.0/33",
            ":80",
            "*",
        ] {
            assert!(Allow::parse(&[entry.to_owned()]).is_err(), "{entry:?}");
        }
    }

    #[test]
    fn a_refusal_prints_the_line_to_add() {
        let allow = allow(&["loopback"]);
        let url = Url::parse("https://user:word@api.example.com/a?token=t").expect("valid URL");
        let refused = Allow::parse(&[])
            .expect("an empty list is valid")
            .check_target(&url)
            .expect_err("nothing is allowed");
        assert_eq!(
            refused.message(&allow),
            "api.example.com:443 is not allowed; to allow it, set in onex.toml: [effects.http] \
             allow = [\"loopback\", \"api.example.com:443\"]"
        );
    }
}
