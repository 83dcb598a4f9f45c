//! Every code, one line each: its name in our sources, its stable number, and, as the file
//! `docs/reference/codes/<number>.md`, its page.
//!
//! To add a code: a line here, in number order, and a page of this shape, which
//! `tests/codes.rs` checks:
//!
//! ```text
//! # C0412: the title, a lower-case sentence without a full stop
//!
//! What it means and why it matters.
//!
//! ## Example
//! ## Remedy
//! ```
//!
//! Families: C01 text, YAML, JSON Schema; C02 keys and values; C03 what a contract is; C04 state
//! machines; C05 workflows; C06 effects and intents; C07 topics and payloads; C08 expressions;
//! C09 values of the host; C10 old dialects; C11 the whole system: routes, rounds, waits, retries.

/// One page of `onex explain`.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// The number, such as `C0412`.
    pub code: &'static str,
    /// The page as Markdown.
    pub text: &'static str,
}

impl Page {
    /// What the code stands for, in one line.
    pub fn title(&self) -> &'static str {
        let line = self.text.lines().next().unwrap_or_default();
        line.split_once(": ").map_or(line, |(_, title)| title)
    }
}

/// The page of a code; upper or lower case.
pub fn page(code: &str) -> Option<&'static Page> {
    PAGES.iter().find(|page| page.code.eq_ignore_ascii_case(code))
}

macro_rules! codes {
    ($($name:ident = $code:literal;)*) => {
        $(
            #[doc = page_text!($code)]
            pub const $name: &str = $code;
        )*

        /// Every code with its page, in number order.
        pub const PAGES: &[Page] = &[$(Page { code: $code, text: page_text!($code) }),*];
    };
}

macro_rules! page_text {
    ($code:literal) => {
        include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../docs/reference/codes/",
            $code,
            ".md"
        ))
    };
}

codes! {
    NOT_UTF8 = "C0101";
    FILE_TOO_LARGE = "C0102";
    CONTROL_CHARACTER = "C0103";
    EMPTY_FILE = "C0104";
    YAML_SYNTAX = "C0105";
    TAB_IN_INDENTATION = "C0106";
    UNQUOTED_TEMPLATE = "C0107";
    SEVERAL_DOCUMENTS = "C0108";
    NOT_A_MAPPING = "C0109";
    TOO_DEEP = "C0110";
    TOO_MANY_NODES = "C0111";
    ALIASES_TOO_LARGE = "C0112";
    UNKNOWN_ANCHOR = "C0113";
    DUPLICATE_KEY = "C0114";
    KEY_NOT_TEXT = "C0115";
    MERGE_OF_NO_MAPPING = "C0116";
    UNKNOWN_TAG = "C0117";
    TAG_MISFIT = "C0118";
    NUMBER_OUT_OF_RANGE = "C0119";
    AMBIGUOUS_SCALAR = "C0120";
    MORE_FINDINGS = "C0121";
    UNREADABLE_FILE = "C0122";
    NOT_A_SCHEMA = "C0150";
    UNKNOWN_SCHEMA_NAME = "C0151";
    UNKNOWN_TYPE = "C0152";
    UNKNOWN_SCHEMA_KEYWORD = "C0153";
    REMOTE_REFERENCE = "C0154";
    SCHEMA_KEYWORD_VALUE = "C0155";
    SCHEMA_NOT_ENFORCED = "C0156";
    REQUIRED_UNDECLARED = "C0157";
    BAD_PATTERN = "C0158";
    CIRCULAR_DEFINITION = "C0159";
    SCHEMA_TOO_HEAVY = "C0160";
    UNKNOWN_KEY = "C0201";
    UNQUOTED_EXPRESSION = "C0202";
    WRONG_TYPE = "C0203";
    MISSING_KEY = "C0204";
    BAD_VALUE = "C0205";
    NOT_BUILT = "C0206";
    NOT_ENFORCED = "C0207";
    NOT_A_NODE = "C0208";
    DUPLICATE_NAME = "C0209";
    NOT_A_CONTRACT = "C0210";
    MISSING_NAME = "C0301";
    MISSING_NODE_TYPE = "C0302";
    UNKNOWN_NODE_TYPE = "C0303";
    MISSING_VERSION = "C0304";
    BAD_VERSION = "C0305";
    DUPLICATE_NODE = "C0306";
    WRONG_SECTION = "C0307";
    INERT = "C0308";
    BAD_NAME = "C0309";
    UNKNOWN_STATE = "C0401";
    NO_SUCH_TRIGGER = "C0402";
    AMBIGUOUS_TRANSITION = "C0403";
    LEAVES_TERMINAL = "C0404";
    UNREACHABLE_STATE = "C0405";
    DEAD_END = "C0406";
    TIMEOUT_UNHANDLED = "C0407";
    TIMEOUT_NEVER_FIRES = "C0408";
    LATE_OUTCOME = "C0409";
    NOTHING_HEARD = "C0410";
    BAD_TIMEOUT = "C0411";
    NEVER_ACTS = "C0412";
    DUPLICATE_STEP = "C0501";
    UNKNOWN_DEPENDENCY = "C0502";
    CYCLE = "C0503";
    UNKNOWN_NODE = "C0504";
    WRONG_NODE = "C0505";
    UNKNOWN_OPERATION = "C0506";
    OPERATION_UNSAID = "C0507";
    STEP_TYPE_MISFIT = "C0508";
    COMPENSATION_UNSAID = "C0509";
    NO_FAILED_OUTCOME = "C0510";
    WAITS_TOO_LONG = "C0511";
    OUTPUT_TOO_EARLY = "C0512";
    EMPTY_WORKFLOW = "C0513";
    NEVER_BEGINS = "C0514";
    UNKNOWN_STEP_TRIGGER = "C0515";
    ENDLESS_WORKFLOW = "C0516";
    UNKNOWN_KIND = "C0601";
    IO_CONFIG_MISFIT = "C0602";
    BODY_MISSING = "C0603";
    RETRY_NOT_IDEMPOTENT = "C0604";
    BREAKER_TOO_SLOW = "C0605";
    NEVER_TRIGGERED = "C0606";
    NO_PERFORMER = "C0607";
    TWO_PERFORMERS = "C0608";
    NO_STATUS = "C0609";
    CODE_TWICE = "C0610";
    BAD_INTENT = "C0611";
    SECRET_UNKNOWN = "C0612";
    NOT_GIVEN = "C0613";
    BAD_TOPIC = "C0701";
    UNLISTED_TOPIC = "C0702";
    ENTRY = "C0703";
    EXIT = "C0704";
    TOPIC_TYPO = "C0705";
    EDGE_MISFIT = "C0706";
    EDGE_MAY_MISFIT = "C0707";
    PAYLOAD_MISFIT = "C0708";
    COMMAND_SHARED = "C0710";
    PRODUCERS_DISAGREE = "C0711";
    TOPIC_LISTED_TWICE = "C0712";
    NEVER_PUBLISHED = "C0713";
    NOT_TAKEN = "C0714";
    BAD_CRON = "C0715";
    UNKNOWN_TIMEZONE = "C0716";
    TOO_FREQUENT = "C0717";
    EXPRESSION_SYNTAX = "C0801";
    UNKNOWN_ROOT = "C0802";
    ROOT_OUT_OF_PLACE = "C0803";
    UNKNOWN_FIELD = "C0804";
    MAYBE_MISSING = "C0805";
    UNKNOWN_FUNCTION = "C0806";
    NO_OVERLOAD = "C0807";
    NEVER_EQUAL = "C0808";
    NO_UINT = "C0809";
    EXPRESSION_TOO_LARGE = "C0810";
    LOOKS_LIKE_PATH = "C0811";
    SECRET_OUT_OF_PLACE = "C0812";
    BAD_EXPRESSION = "C0813";
    WRONG_RESULT = "C0814";
    URL_HOST = "C0815";
    TEMPLATE_IN_EXPRESSION = "C0816";
    BAD_PATH = "C0817";
    BAD_PREDICATE = "C0818";
    CONFIG_MISSING = "C0901";
    ENV_MISSING = "C0902";
    CONFIG_MISFIT = "C0903";
    CONFIG_UNREAD = "C0904";
    INGRESS_UNKNOWN = "C0905";
    WRONG_SETTING = "C0906";
    FOREIGN_HANDLER = "C1001";
    QUARANTINED = "C1002";
    NAMES_DISAGREE = "C1003";
    LEGACY_KIND = "C1004";
    TRIGGER_TOPIC = "C1005";
    TOPIC_LEFT_OUT = "C1006";
    INTENT_UNSAID = "C1007";
    STEP_NOT_NATIVE = "C1008";
    EVENT_UNHEARD = "C1009";
    BAD_SUBCONTRACT = "C1010";
    TWO_CONTRACTS = "C1011";
    BAD_QUERY = "C1012";
    SWITCHED_OFF = "C1013";
    ENDLESS_ROUND = "C1101";
    ONLY_BY_API = "C1102";
    NEVER_BEGUN = "C1103";
    UNUSED_COMPUTE = "C1104";
    NEVER_HOLDS = "C1105";
    NEVER_TRIED = "C1106";
    UNANSWERED = "C1107";
    FAILURE_UNHEARD = "C1108";
    GIVES_UP_FIRST = "C1109";
    RETRIES_DO_NOT_FIT = "C1110";
    RETRIES_MULTIPLY = "C1111";
    UNBOUNDED = "C1112";
    HOST_NOT_ALLOWED = "C1113";
    CAPABILITY_DIFFERS = "C1114";
    MULTIPLIES = "C1115";
}
