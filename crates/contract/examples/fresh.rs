#[path = "../tests/host/mod.rs"]
mod host;
use onex_contract::{check, load_folder, catalog::HostValues};
fn main() {
    for path in std::env::args().skip(1) {
        let s = load_folder(std::path::Path::new(&path)).unwrap();
        let c = check(&s, &host::catalog(), &HostValues::default());
        for n in &c.nodes { println!("=== {path} {} {} {}", n.name, n.dialect, n.status); }
        for d in &c.diagnostics {
            if d.code == "C0207" && d.message.ends_with("documents") { print!(" n{} {};", d.line, d.message.split('`').nth(1).unwrap_or("")); continue; }
            println!("\n  {:?} {} {} {} | {}", d.severity, d.code, d.line, d.message, d.help.as_deref().unwrap_or(""));
        }
        println!();
        for n in &c.nodes { println!("{}", n.normal_form.as_deref().unwrap_or("-")); }
    }
}
