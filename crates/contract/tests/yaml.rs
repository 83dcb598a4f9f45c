//! What our YAML reader makes of a text: `cases/yaml/<case>.yaml` beside `<case>.txt`, which holds
//! the findings as a person sees them and the value as JSON. `UPDATE=1` rewrites the latter.

mod cases;

use onex_contract::diagnostic::human;
use onex_contract::yaml;

#[test]
fn each_case_is_read_and_reported_as_written_beside_it() {
    cases::compare("yaml", |source| {
        let (node, findings) = yaml::parse(source);
        let shown =
            human::render(&findings, std::slice::from_ref(source), human::Options::default());
        let value = node.map_or("nothing".into(), |node| node.to_value().to_json());
        format!("{shown}\n= {value}\n")
    });
}
