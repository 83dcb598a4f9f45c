//! What is done for a request: once per key, whatever is repeated, late or out of order. Pure, so
//! that the journal can replay it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// The most that a card pays at once, in cents. Above it a charge is refused with 402.
pub(crate) const CARD_LIMIT_CENTS: i64 = 100_000;

/// Sold out for ever: a reservation is refused with 422.
pub(crate) const SOLD_OUT_SKU: &str = "unicorn";

/// Nobody carries it: a parcel is refused with 422.
pub(crate) const OVERSIZE_SKU: &str = "piano";

/// What the service offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Service {
    Payment,
    Stock,
    Carrier,
}

/// One change that was asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Request {
    /// Do it, once per key.
    Create { service: Service, key: String, body: Value },
    /// Undo it, by its id.
    Undo { service: Service, id: String },
}

/// Status and body.
pub(crate) type Answer = (u16, Value);

/// Everything that was ever asked for.
#[derive(Default)]
pub(crate) struct Ledger {
    entries: BTreeMap<(Service, String), Entry>,
}

/// What is known under one id.
struct Entry {
    /// What it is for; null when it was undone before it was ever asked for.
    body: Value,
    status: Status,
    seen: u64,
    undone: u64,
}

#[derive(Clone, Copy, PartialEq)]
enum Status {
    Done,
    Undone,
    Refused,
    /// Undone before it came. It must not be done when it comes late.
    Withdrawn,
}

impl Service {
    pub(crate) const ALL: [Service; 3] = [Service::Payment, Service::Stock, Service::Carrier];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Service::Payment => "payment",
            Service::Stock => "stock",
            Service::Carrier => "carrier",
        }
    }

    /// What its things are called in paths and in the ledger.
    pub(crate) fn things(self) -> &'static str {
        match self {
            Service::Payment => "charges",
            Service::Stock => "reservations",
            Service::Carrier => "parcels",
        }
    }

    fn id(self, key: &str) -> String {
        match self {
            Service::Payment => format!("ch_{key}"),
            Service::Stock | Service::Carrier => key.to_owned(),
        }
    }

    fn refusal(self, body: &Value) -> Option<Answer> {
        let sku = body["sku"].as_str().unwrap_or_default();
        match self {
            Service::Payment if body["amount"].as_i64().unwrap_or(0) > CARD_LIMIT_CENTS => {
                Some((402, json!({"code": "card_limit"})))
            }
            Service::Stock if sku == SOLD_OUT_SKU => Some((422, json!({"code": "sold_out"}))),
            Service::Carrier if sku == OVERSIZE_SKU => Some((422, json!({"code": "oversize"}))),
            _ => None,
        }
    }

    fn word(self, status: Status) -> &'static str {
        match (status, self) {
            (Status::Refused, _) => "refused",
            (Status::Withdrawn, _) => "withdrawn",
            (Status::Done, Service::Payment) => "captured",
            (Status::Done, Service::Stock) => "reserved",
            (Status::Done, Service::Carrier) => "sent",
            (Status::Undone, Service::Payment) => "refunded",
            (Status::Undone, Service::Stock) => "released",
            (Status::Undone, Service::Carrier) => "recalled",
        }
    }
}

impl Ledger {
    /// Does what is asked for, or answers as it was answered before.
    pub(crate) fn apply(&mut self, request: &Request) -> Answer {
        match request {
            Request::Create { service, key, body } => self.create(*service, key, body),
            Request::Undo { service, id } => self.undo(*service, id),
        }
    }

    fn create(&mut self, service: Service, key: &str, body: &Value) -> Answer {
        let id = service.id(key);
        let known = (service, id.clone());
        if let Some(entry) = self.entries.get_mut(&known) {
            entry.seen += 1;
            if entry.status == Status::Withdrawn {
                return (410, json!({"code": "withdrawn"}));
            }
            if entry.body != *body {
                return (409, json!({"code": "key_reused"}));
            }
            return match service.refusal(body) {
                Some(refusal) => refusal,
                None => (200, json!({"id": id, "status": service.word(entry.status)})),
            };
        }
        let refusal = service.refusal(body);
        let status = match refusal {
            Some(_) => Status::Refused,
            None => Status::Done,
        };
        self.entries.insert(known, Entry { body: body.clone(), status, seen: 1, undone: 0 });
        refusal.unwrap_or_else(|| (201, json!({"id": id, "status": service.word(status)})))
    }

    fn undo(&mut self, service: Service, id: &str) -> Answer {
        let entry = self.entries.entry((service, id.to_owned())).or_insert(Entry {
            body: Value::Null,
            status: Status::Withdrawn,
            seen: 0,
            undone: 0,
        });
        entry.undone += 1;
        match entry.status {
            Status::Withdrawn | Status::Refused => (404, json!({"code": "unknown"})),
            Status::Done | Status::Undone => {
                entry.status = Status::Undone;
                (200, json!({"id": id, "status": service.word(entry.status)}))
            }
        }
    }

    /// `{charges, reservations, parcels}`: lists of `{id, status, seen, undone}` with what each is
    /// for; `seen` and `undone` count the requests that came.
    pub(crate) fn to_json(&self) -> Value {
        let mut lists: BTreeMap<&str, Vec<Value>> =
            Service::ALL.into_iter().map(|service| (service.things(), Vec::new())).collect();
        for ((service, id), entry) in &self.entries {
            let mut line = json!({
                "id": id,
                "status": service.word(entry.status),
                "seen": entry.seen,
                "undone": entry.undone,
            });
            for (name, value) in entry.body.as_object().into_iter().flatten() {
                line[name] = value.clone();
            }
            lists.entry(service.things()).or_default().push(line);
        }
        json!(lists)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn create(service: Service, key: &str, body: Value) -> Request {
        Request::Create { service, key: key.to_owned(), body }
    }

    fn undo(service: Service, id: &str) -> Request {
        Request::Undo { service, id: id.to_owned() }
    }

    #[test]
    fn a_charge_is_made_once_per_key() {
        let mut ledger = Ledger::default();
        let charge = create(Service::Payment, "k", json!({"order_id": "o", "amount": 5}));
        let first = ledger.apply(&charge);
        assert_eq!(first, (201, json!({"id": "ch_k", "status": "captured"})));
        assert_eq!(ledger.apply(&charge).0, 200);
        let other = create(Service::Payment, "k", json!({"order_id": "o", "amount": 6}));
        assert_eq!(ledger.apply(&other).0, 409);
        assert_eq!(
            ledger.to_json()["charges"],
            json!([{"id": "ch_k", "status": "captured", "seen": 3, "undone": 0, "order_id": "o", "amount": 5}])
        );
    }

    #[test]
    fn undoing_is_done_once_however_often_it_is_asked_for() {
        for service in Service::ALL {
            let mut ledger = Ledger::default();
            let request = create(service, "k", json!({"sku": "lamp"}));
            let (_, made) = ledger.apply(&request);
            let id = made["id"].as_str().expect("an id");
            assert_eq!(ledger.apply(&undo(service, id)).0, 200);
            assert_eq!(ledger.apply(&undo(service, id)).0, 200);
            let line = &ledger.to_json()[service.things()][0];
            assert_eq!(line["undone"], 2);
            assert!(
                ["refunded", "released", "recalled"]
                    .contains(&line["status"].as_str().expect("text"))
            );
        }
    }

    #[test]
    fn what_was_undone_before_it_came_is_not_done_when_it_comes_late() {
        let mut ledger = Ledger::default();
        assert_eq!(ledger.apply(&undo(Service::Stock, "k")).0, 404);
        let late = create(Service::Stock, "k", json!({"sku": "lamp", "qty": 1}));
        assert_eq!(ledger.apply(&late).0, 410);
        assert_eq!(ledger.to_json()["reservations"][0]["status"], "withdrawn");
    }

    #[test]
    fn the_content_of_a_request_can_have_it_refused_each_time() {
        let cases = [
            (Service::Payment, json!({"amount": CARD_LIMIT_CENTS + 1}), 402),
            (Service::Stock, json!({"sku": SOLD_OUT_SKU}), 422),
            (Service::Carrier, json!({"sku": OVERSIZE_SKU}), 422),
        ];
        for (service, body, status) in cases {
            let mut ledger = Ledger::default();
            let request = create(service, "k", body);
            assert_eq!(ledger.apply(&request).0, status);
            assert_eq!(ledger.apply(&request).0, status);
            assert_eq!(ledger.to_json()[service.things()][0]["status"], "refused");
        }
    }
}
