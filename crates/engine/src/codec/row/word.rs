//! Statuses and reasons as numbers.

use onex_kernel::row::{Reason, RunStatus, StepStatus, Undoing};

use super::Read;
use crate::codec::wire::Reader;

pub(super) fn read_run_status(reader: &mut Reader<'_>) -> Read<RunStatus> {
    Ok(match reader.u8()? {
        0 => RunStatus::Pending,
        1 => RunStatus::Running,
        2 => RunStatus::Paused,
        3 => RunStatus::Completed,
        4 => RunStatus::Failed,
        5 => RunStatus::Cancelled,
        _ => return Err(reader.corrupt()),
    })
}

pub(super) fn read_undoing(reader: &mut Reader<'_>) -> Read<Undoing> {
    Ok(match reader.u8()? {
        0 => Undoing::None,
        1 => Undoing::Running,
        2 => Undoing::Done,
        3 => Undoing::Incomplete,
        _ => return Err(reader.corrupt()),
    })
}

pub(super) fn read_step_status(reader: &mut Reader<'_>) -> Read<StepStatus> {
    Ok(match reader.u8()? {
        0 => StepStatus::Pending,
        1 => StepStatus::Running,
        2 => StepStatus::Waiting,
        3 => StepStatus::Completed,
        4 => StepStatus::Skipped,
        5 => StepStatus::Failed,
        6 => StepStatus::Cancelled,
        7 => StepStatus::Compensating,
        8 => StepStatus::Compensated,
        9 => StepStatus::CompensationFailed,
        _ => return Err(reader.corrupt()),
    })
}

pub(super) fn read_reason(reader: &mut Reader<'_>) -> Read<Reason> {
    Ok(match reader.u8()? {
        0 => Reason::InvalidPayload,
        1 => Reason::Unhandled,
        2 => Reason::NoKey,
        3 => Reason::GuardError,
        4 => Reason::ExpressionError,
        5 => Reason::Refused,
        6 => Reason::CompensationFailed,
        7 => Reason::Exhausted,
        8 => Reason::InDoubt,
        9 => Reason::Expired,
        10 => Reason::Exceeded,
        11 => Reason::TooLarge,
        12 => Reason::NoRoute,
        13 => Reason::StepPanicked,
        _ => return Err(reader.corrupt()),
    })
}
