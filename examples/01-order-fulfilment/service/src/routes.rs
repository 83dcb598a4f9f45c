//! The HTTP around the ledger.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::fault::Faults;
use crate::journal::Journal;
use crate::ledger::{Request, Service};

/// Longest Idempotency-Key, in bytes.
const KEY_BYTES_MAX: usize = 200;

/// The services behind one port.
pub(crate) struct Shop {
    journal: Mutex<Journal>,
    faults: Faults,
}

impl Shop {
    /// A shop in which everything is up.
    pub(crate) fn new(journal: Journal) -> Shop {
        Shop { journal: Mutex::new(journal), faults: Faults::none() }
    }

    async fn perform(&self, service: Service, request: Request) -> Response {
        if self.faults.pass(service).await.is_err() {
            return answer(503, json!({"code": "down"}));
        }
        let mut journal = self.journal.lock().unwrap_or_else(PoisonError::into_inner);
        match journal.apply(&request) {
            Ok((status, body)) => answer(status, body),
            Err(error) => answer(500, json!({"code": "journal", "message": error.to_string()})),
        }
    }
}

/// Every route.
pub(crate) fn router(shop: Arc<Shop>) -> Router {
    let mut router = Router::new()
        .route("/health", get(async || Json(json!({"status": "up"}))))
        .route("/ledger", get(ledger))
        .route("/admin/faults", get(faults).post(set_faults));
    for service in Service::ALL {
        let things = format!("/v1/{}", service.things());
        router = router
            .route(
                &things,
                post(async move |State(shop): State<Arc<Shop>>, headers, Json(body)| {
                    create(&shop, service, &headers, body).await
                }),
            )
            .route(
                &format!("{things}/{{id}}"),
                delete(async move |State(shop): State<Arc<Shop>>, Path(id): Path<String>| {
                    shop.perform(service, Request::Undo { service, id }).await
                }),
            );
    }
    router.with_state(shop)
}

async fn create(shop: &Shop, service: Service, headers: &HeaderMap, body: Value) -> Response {
    let key = headers
        .get("idempotency-key")
        .and_then(|key| key.to_str().ok())
        .filter(|key| !key.is_empty() && key.len() <= KEY_BYTES_MAX);
    let Some(key) = key else {
        return answer(400, json!({"code": "no_key"}));
    };
    if !body.is_object() {
        return answer(400, json!({"code": "no_object"}));
    }
    let request = Request::Create { service, key: key.to_owned(), body };
    shop.perform(service, request).await
}

async fn ledger(State(shop): State<Arc<Shop>>) -> Json<Value> {
    let journal = shop.journal.lock().unwrap_or_else(PoisonError::into_inner);
    Json(journal.ledger().to_json())
}

async fn faults(State(shop): State<Arc<Shop>>) -> Json<Value> {
    Json(shop.faults.to_json())
}

async fn set_faults(State(shop): State<Arc<Shop>>, Json(wanted): Json<Value>) -> Response {
    match shop.faults.set(&wanted) {
        Ok(()) => answer(200, shop.faults.to_json()),
        Err(message) => answer(400, json!({"code": "no_mode", "message": message})),
    }
}

fn answer(status: u16, body: Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, Json(body)).into_response()
}
