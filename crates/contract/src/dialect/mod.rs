//! Old dialects, translated tree to tree into the normal form, every place kept.
//!
//! `recognise` tells what a file is written in, `translate` walks its top level; then one file a
//! feature, each of which takes its keys and puts what they mean into the new tree. What has no
//! meaning in the normal form is left out and noted; what only another system can perform makes
//! the node external. `switch` takes out what is switched off before, `durations` makes seconds milliseconds, `untold` notes after what no
//! feature took or spoke of. `severity` says what an old dialect is judged more mildly for.
//! Nothing here runs, links or looks at other contracts, but for [`folder`].

mod compute;
mod documents;
mod durations;
mod effect;
mod environment;
mod folder;
mod handler_routing;
mod identity;
mod limits;
mod made;
mod operation_bindings;
mod other_file;
mod recognise;
mod reducer;
mod schema;
mod severity;
mod subcontract;
mod switch;
mod topic;
mod translate;
mod unguarded;
mod untold;
mod workflow;

pub(crate) use folder::check as check_folders;
pub(crate) use recognise::{NORMAL, SUBCONTRACT, recognise};
pub(crate) use severity::rejects;
pub(crate) use subcontract::Parts;
pub(crate) use translate::{Verdict, translate};
