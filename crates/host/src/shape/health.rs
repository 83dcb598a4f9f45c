//! Health of a host.

use onex_expr::Value;
use onex_runtime::handle::Health;

use super::count;

/// Health as JSON, and whether nothing is wrong that a restart would mend.
pub fn value(health: &Health) -> Value {
    let parts = components(health);
    let worst = parts.iter().map(|part| part.status).max();
    let status = match worst {
        Some(Status::Unhealthy) => "unhealthy",
        Some(Status::Degraded) => "degraded",
        _ => "healthy",
    };
    let components = parts.iter().map(|part| {
        let shape = Value::map([
            ("status", Value::text(part.status.word())),
            ("critical", Value::Bool(part.critical)),
            ("detail", Value::text(part.detail.as_str())),
        ]);
        (part.name, shape)
    });
    Value::map([
        ("status", Value::text(status)),
        ("components", Value::map(components)),
        ("version", Value::text(env!("CARGO_PKG_VERSION"))),
        ("contracts", count(health.contracts as u64)),
        ("uptime_ms", count(health.uptime.as_millis())),
    ])
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Status {
    Healthy,
    Degraded,
    Unhealthy,
}

impl Status {
    fn word(self) -> &'static str {
        match self {
            Status::Healthy => "healthy",
            Status::Degraded => "degraded",
            Status::Unhealthy => "unhealthy",
        }
    }
}

struct Component {
    name: &'static str,
    status: Status,
    critical: bool,
    detail: String,
}

fn components(health: &Health) -> [Component; 2] {
    let engine = match (health.ready, health.draining) {
        (_, true) => (Status::Degraded, "draining"),
        (false, false) => (Status::Degraded, "starting"),
        (true, false) if health.pressed => (Status::Degraded, "too many changed rows to write"),
        (true, false) => (Status::Healthy, "taking requests"),
    };
    let store = &health.store;
    let wrong = [
        store.poisoned.clone().map(|why| (Status::Unhealthy, why)),
        store.checkpoint_failed.clone().map(|why| (Status::Degraded, why)),
        store.full.then(|| (Status::Degraded, "the disk is full".to_owned())),
    ];
    let (status, detail) = wrong.into_iter().flatten().next().unwrap_or_else(|| {
        let detail = format!("durable to offset {}", store.durable_to);
        (Status::Healthy, detail)
    });
    [
        Component {
            name: "engine",
            status: engine.0,
            critical: true,
            detail: format!("{}, {} unfinished", engine.1, health.unfinished),
        },
        Component { name: "store", status, critical: true, detail },
    ]
}
