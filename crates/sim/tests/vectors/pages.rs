//! `docs/reference/rules.md`: each rule and the vectors that pin it.

use crate::read::{Rule, Vector};

pub fn rules(rules: &[Rule], vectors: &[Vector]) -> String {
    let mut page = String::from(
        "# Rules of the contract language\n\n\
         Generated from `vectors/` by the test `vectors` of `onex-sim`. Each rule names the vectors that pin it: \
         data that say what must come of contracts, messages and answers, and that run through the engine.\n",
    );
    let mut section = "";
    for rule in rules {
        if rule.section != section {
            section = &rule.section;
            page.push_str(&format!("\n## {section}\n\n| rule | | vectors |\n|---|---|---|\n"));
        }
        let pinned = vectors.iter().filter(|vector| vector.pins.contains(&rule.id));
        let names: Vec<String> = pinned.map(|vector| format!("`{}`", vector.name)).collect();
        let text = rule.text.replace('|', "\\|");
        page.push_str(&format!("| `{}` | {text} | {} |\n", rule.id, names.join("<br>")));
    }
    page.push_str(&format!("\n{} rules, {} vectors.\n", rules.len(), vectors.len()));
    page
}
