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
//! Families: C01 text, YAML, JSON Schema.

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
    PAGES
        .iter()
        .find(|page| page.code.eq_ignore_ascii_case(code))
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
}
