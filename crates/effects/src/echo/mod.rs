//! `echo`: answers at once with what it was given. For trials and benchmarks.

use onex_contract::catalog::EffectKind;
use onex_expr::Value;
use onex_kernel::port::{BoxFuture, Call, CallError, Effect};

/// `handler_type`
pub const NAME: &str = "echo";

/// The kind as plain data.
pub fn kind() -> EffectKind {
    EffectKind {
        name: NAME,
        config_schema: include_str!("config.schema.json"),
        url_fields: &[],
        path_fields: &[],
        verb_field: None,
        idempotent_verbs: None,
        body_verbs: &[],
        response_schema: include_str!("response.schema.json"),
        has_status: false,
    }
}

/// The kind itself.
pub struct Echo;

impl Effect for Echo {
    fn perform(&self, call: Call) -> BoxFuture<Result<Value, CallError>> {
        Box::pin(core::future::ready(Ok(Value::map([("body", call.input)]))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use onex_kernel::Id;

    #[tokio::test]
    async fn the_body_is_what_was_given() {
        let input = Value::map([("order", Value::Int(7))]);
        let call = Call {
            request: Value::map::<&str>([]),
            input: input.clone(),
            intent_id: Id([1; 16]),
            timeout_ms: 1000,
        };
        let answer = Echo.perform(call).await.expect("echo always answers");
        assert_eq!(answer, Value::map([("body", input)]));
    }
}
