//! The host at an address: whether it is well, and what waits for a person.

use onex_expr::Value;

use super::super::list;
use super::Finding;
use crate::client::Client;
use crate::fault::{Exit, Fault};

/// Runs and letters looked at; more are said to be more.
const LOOKED_AT: usize = 1000;

/// Everything about the host.
///
/// # Errors
/// The address makes no sense.
pub async fn check(url: &str) -> Result<Vec<Finding>, Fault> {
    let client = Client::new(url)?;
    let health = match client.get("/health").json().await {
        Ok(health) => health,
        // A host that is not well says so with 503.
        Err(fault) if fault.exit == Exit::Refused => {
            let help = "stop it and look at what it logged; start it again";
            return Ok(vec![Finding::fail("host", fault.what, help)]);
        }
        Err(_) => {
            let detail = format!("none answers at {url}");
            let help = "start one with `onex run`, or say where it is with --url";
            return Ok(vec![Finding::warn("host", detail, help)]);
        }
    };
    let mut findings = vec![well(url, &health), same_version(&health)];
    let ready = client.get("/ready").json().await;
    findings.push(match ready {
        Ok(_) => Finding::ok("ready", "it takes requests"),
        Err(fault) => Finding::fail("ready", fault.what, "wait until it has started, or start it"),
    });
    findings.push(stuck(&client).await.unwrap_or_else(|fault| Finding::of_fault("stuck", fault)));
    let letters = letters(&client).await;
    findings.push(letters.unwrap_or_else(|fault| Finding::of_fault("letters", fault)));
    Ok(findings)
}

fn field<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn well(url: &str, health: &Value) -> Finding {
    let components = health.get("components").and_then(Value::as_map);
    let told: Vec<String> = components
        .into_iter()
        .flat_map(|all| all.iter())
        .map(|(name, part)| format!("{} {}", name.as_str().unwrap_or(""), field(part, "detail")))
        .collect();
    let detail = format!("{url} is {}: {}", field(health, "status"), told.join(", "));
    match field(health, "status") {
        "healthy" => Finding::ok("host", detail),
        _ => Finding::warn("host", detail, "look at what it logged; `GET /metrics` says more"),
    }
}

fn same_version(health: &Value) -> Finding {
    let (theirs, ours) = (field(health, "version"), env!("CARGO_PKG_VERSION"));
    if theirs == ours {
        return Finding::ok("same", format!("the host is onex {theirs} too"));
    }
    let detail = format!("the host is onex {theirs}, this is {ours}");
    Finding::warn("same", detail, "use the same version for both")
}

/// Live runs that nothing but a person can wake.
async fn stuck(client: &Client) -> Result<Finding, Fault> {
    let ask = || client.get("/v1/workflows").with("status", Some("running"));
    let answer = list::fetch(Some(LOOKED_AT), ask).await?;
    let runs = answer.get("items").and_then(Value::as_list).unwrap_or_default();
    let is_stuck = |run: &&Value| {
        let waits = run.get("waits_for").and_then(Value::as_list).unwrap_or_default();
        waits.iter().all(|wait| field(wait, "kind") == "approval")
    };
    let stuck: Vec<&str> = runs.iter().filter(is_stuck).map(|run| field(run, "run_id")).collect();
    let Some(first) = stuck.first() else {
        return Ok(Finding::ok("stuck", format!("each of {} live runs can go on", runs.len())));
    };
    let detail = format!("{} of {} live runs wait for a person", stuck.len(), runs.len());
    Ok(Finding::warn("stuck", detail, format!("`onex why {first}` says what for")))
}

async fn letters(client: &Client) -> Result<Finding, Fault> {
    let ask = || client.get("/v1/dlq").with("status", Some("open"));
    let answer = list::fetch(Some(LOOKED_AT), ask).await?;
    let open = answer.get("items").and_then(Value::as_list).unwrap_or_default().len();
    let more = if answer.get("next").and_then(Value::as_str).is_some() { " or more" } else { "" };
    Ok(match open {
        0 => Finding::ok("letters", "no dead letter is open"),
        _ => Finding::warn(
            "letters",
            format!("{open}{more} dead letters are open"),
            "`onex dlq list` shows them; redrive them when their cause is gone",
        ),
    })
}
