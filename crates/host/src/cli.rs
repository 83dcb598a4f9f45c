//! What can be said on the command line: one variant a command, its arguments beside its verb.

use clap::{Args, Parser, Subcommand};

use crate::print::Format;
use crate::verb;

/// Durable, event-driven nodes whose contracts are the program.
///
/// Begin with `onex new hello && cd hello && onex run`, then follow what it prints.
#[derive(Debug, Parser)]
#[command(name = "onex", version, propagate_version = true, max_term_width = 100)]
#[command(after_help = "\
Exit codes: 0 done, 1 the answer is no (check found errors, a run failed), 2 usage,
3 cannot reach the host, 4 refused by the host, 70 a bug of onex.
`onex explain C0105` prints the page of a code.")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a project that passes `check` and runs
    New(verb::new::Arguments),
    /// Say everything that is wrong with contracts and with the system they make
    Check(verb::check::Arguments),
    /// Print the normal form of a contract
    Show(verb::show::Arguments),
    /// Say what new contracts change, and what becomes of what is alive
    Diff(verb::diff::Arguments),
    /// Draw topics, nodes, state machines, workflows and intents
    Graph(verb::graph::Arguments),
    /// Print the JSON Schema of contracts, for editors
    Schema(verb::schema::Arguments),
    /// Say what of a foreign tree of contracts would run, and why the rest would not
    Census(verb::census::Arguments),
    /// Run contracts: the host
    Run(verb::run::Arguments),
    /// Publish one message, or many as JSON lines
    Publish(verb::publish::Arguments),
    /// Print messages of the log
    Tail(verb::tail::Arguments),
    /// Workflow runs
    #[command(subcommand)]
    Workflow(verb::workflow::Command),
    /// Entities of reducers
    #[command(subcommand)]
    State(verb::state::Command),
    /// Dead letters: messages given up on
    #[command(subcommand)]
    Dlq(verb::dlq::Command),
    /// Say what a run, entity, intent or message waits for, since when, and who can wake it
    Why(verb::why::Arguments),
    /// Back up a host while it works, or a data folder
    Backup(verb::backup::Arguments),
    /// Make a data folder of a backup
    Restore(verb::restore::Arguments),
    /// Say whether a host would start here, runs well, and has nothing that waits for a person
    Doctor(verb::doctor::Arguments),
    /// Say what every entity and run was once a record was applied
    At(verb::at::Arguments),
    /// Print the page of a code such as C0105
    Explain(verb::explain::Arguments),
    /// Evaluate one expression
    Eval(verb::eval::Arguments),
    /// Measure a host over HTTP
    Bench(verb::bench::Arguments),
    /// Configuration of a host
    #[command(subcommand)]
    Config(verb::config::Command),
    /// Print completions for a shell
    Completions(verb::completions::Arguments),
}

/// How a command prints its data.
#[derive(Clone, Copy, Debug, Args)]
pub struct Output {
    /// How data is printed
    #[arg(
        short = 'o',
        long = "output",
        value_enum,
        default_value = "human",
        value_name = "FORMAT"
    )]
    pub format: Format,
}

impl Output {
    /// Whether programs read it.
    pub fn is_json(self) -> bool {
        self.format == Format::Json
    }
}

/// Which host a command talks to.
#[derive(Clone, Debug, Args)]
pub struct Host {
    /// The host to talk to
    #[arg(long, env = "ONEX_URL", default_value = "http://127.0.0.1:8085", value_name = "URL")]
    pub url: String,
}
