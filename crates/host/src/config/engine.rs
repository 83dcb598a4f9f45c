//! `[engine]` and `[dedupe]`: limits of the engine and of the shell around it.

use std::time::Duration;

use onex_runtime::Options;

use super::layers::Layers;

/// Reads both sections.
pub fn read(layers: &Layers) -> Options {
    let defaults = Options::default();
    let engine = defaults.engine;
    let ms = Duration::from_millis;
    let micros = |span: Duration| u64::try_from(span.as_micros()).unwrap_or(u64::MAX);
    let millis = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    let window = Duration::from_micros(engine.dedupe_window_us);
    Options {
        engine: onex_engine::Options {
            dedupe_window_us: micros(layers.duration("dedupe.window", window)),
            dedupe_ids_max: layers.count("dedupe.ids_max", engine.dedupe_ids_max),
            turn_records_max: layers.count("engine.turn_records_max", engine.turn_records_max),
            turn_records_ready: layers
                .count("engine.turn_records_ready", engine.turn_records_ready),
            turn_bytes_max: layers.bytes_count("engine.turn_bytes_max", engine.turn_bytes_max),
            fuel: layers.number("engine.fuel", engine.fuel),
            unfinished_max: layers.count("engine.unfinished_max", engine.unfinished_max),
            breaker_wait_ms: millis(
                layers.duration("engine.breaker_wait", ms(engine.breaker_wait_ms)),
            ),
            cache_bytes_max: layers.bytes_count("engine.cache_bytes_max", engine.cache_bytes_max),
            ended_runs_ms: millis(layers.duration("engine.ended_runs", ms(engine.ended_runs_ms))),
            ended_runs_max: layers.count("engine.ended_runs_max", engine.ended_runs_max),
            terminal_entities_ms: millis(
                layers.duration("engine.terminal_entities", ms(engine.terminal_entities_ms)),
            ),
        },
        inbox_max: layers.count("engine.inbox_max", defaults.inbox_max),
        inbox_topic_max: layers.count("engine.inbox_topic_max", defaults.inbox_topic_max),
        inbox_bytes_max: layers.bytes_count("engine.inbox_bytes_max", defaults.inbox_bytes_max),
        accept_within: layers.duration("engine.accept_within", defaults.accept_within),
        attempts_max: layers.count("engine.attempts_max", defaults.attempts_max),
        attempts_per_target_max: layers
            .count("engine.attempts_per_target_max", defaults.attempts_per_target_max),
        request_fuel: layers.number("engine.request_fuel", defaults.request_fuel),
        drain: layers.duration("engine.drain", defaults.drain),
        unwritten_bytes_max: layers
            .bytes("engine.unwritten_bytes_max", defaults.unwritten_bytes_max),
        seal_after: layers.duration("engine.seal_after", defaults.seal_after),
        scan_records_max: layers.count("engine.scan_records_max", defaults.scan_records_max),
    }
}
