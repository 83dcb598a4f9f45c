//! Every code has a page of the agreed shape, and every page a code.

use std::path::Path;

use onex_contract::diagnostic::code;

#[test]
fn pages_are_listed_in_number_order_and_each_once() {
    let numbers: Vec<&str> = code::PAGES.iter().map(|page| page.code).collect();
    let mut sorted = numbers.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(numbers, sorted);
}

#[test]
fn each_page_has_a_title_a_meaning_an_example_and_a_remedy() {
    for page in code::PAGES {
        let head = format!("# {}: ", page.code);
        let title = page.text.strip_prefix(&head).unwrap_or_else(|| panic!("{head}? missing"));
        let title = title.lines().next().unwrap_or_default();
        assert_eq!(title, page.title(), "{}", page.code);
        assert!(!title.is_empty() && !title.ends_with('.'), "{}: {title}", page.code);
        let example = page.text.find("\n\n## Example\n\n");
        let remedy = page.text.find("\n\n## Remedy\n\n");
        assert!(example.is_some() && example < remedy, "{}: sections", page.code);
    }
}

#[test]
fn each_file_of_pages_belongs_to_a_code() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/codes");
    for entry in std::fs::read_dir(folder).expect("the folder of pages is there") {
        let path = entry.expect("a folder can be listed").path();
        let code = path.file_stem().expect("a page has a name").to_string_lossy().into_owned();
        assert!(code::page(&code).is_some(), "{} belongs to no code", path.display());
    }
}

#[test]
fn a_code_is_found_in_either_case_and_an_unknown_one_is_not() {
    assert_eq!(code::page("c0114").map(|page| page.code), Some(code::DUPLICATE_KEY));
    assert!(code::page("C9999").is_none());
}
