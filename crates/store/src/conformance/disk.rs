//! What every [`Disk`] does.

use std::io::ErrorKind;

use crate::disk::Disk;

/// Runs the suite on an empty disk.
///
/// # Panics
/// Where the disk behaves otherwise.
pub fn disk(disk: &impl Disk) {
    created_files_hold_zeros(disk);
    writes_are_read_back_before_and_after_a_sync(disk);
    writes_stay_inside_the_file(disk);
    reads_end_with_the_file(disk);
    files_are_shortened_and_never_grow(disk);
    renaming_replaces(disk);
    missing_files_are_not_found(disk);
    lists_are_in_name_order(disk);
    a_file_is_put_as_a_whole_and_replaces(disk);
    folders_hold_files_of_their_own(disk);
}

fn content(disk: &impl Disk, name: &str, length: usize) -> Vec<u8> {
    let mut bytes = vec![0xee; length];
    let read = disk.read_at(name, 0, &mut bytes).expect("a file of the suite can be read");
    bytes.truncate(read);
    bytes
}

fn clear(disk: &impl Disk) {
    for (name, _) in disk.list().expect("files can be listed") {
        disk.remove(&name).expect("a listed file can be removed");
    }
    assert!(disk.list().expect("files can be listed").is_empty());
}

fn created_files_hold_zeros(disk: &impl Disk) {
    disk.create("a", 1_000).expect("creates a file");
    assert_eq!(content(disk, "a", 2_000), vec![0; 1_000]);
    let again = disk.create("a", 10).map_err(|error| error.kind());
    assert_eq!(again, Err(ErrorKind::AlreadyExists));
    disk.create("empty", 0).expect("creates an empty file");
    assert_eq!(content(disk, "empty", 10), Vec::<u8>::new());
    clear(disk);
}

fn writes_are_read_back_before_and_after_a_sync(disk: &impl Disk) {
    disk.create("a", 2_048).expect("creates a file");
    disk.write_at("a", 510, b"across a sector").expect("writes");
    let mut read = [0; 15];
    disk.read_at("a", 510, &mut read).expect("reads");
    assert_eq!(&read, b"across a sector");
    disk.sync("a").expect("syncs");
    disk.write_at("a", 512, b"XX").expect("writes");
    disk.read_at("a", 510, &mut read).expect("reads");
    assert_eq!(&read, b"acXXss a sector");
    disk.sync("a").expect("syncs");
    disk.read_at("a", 510, &mut read).expect("reads");
    assert_eq!(&read, b"acXXss a sector");
    clear(disk);
}

fn writes_stay_inside_the_file(disk: &impl Disk) {
    disk.create("a", 100).expect("creates a file");
    disk.write_at("a", 90, &[1; 10]).expect("writes up to the end");
    let beyond = disk.write_at("a", 91, &[1; 10]).map_err(|error| error.kind());
    assert_eq!(beyond, Err(ErrorKind::InvalidInput));
    assert_eq!(disk.list().expect("lists"), vec![("a".to_owned(), 100)]);
    clear(disk);
}

fn reads_end_with_the_file(disk: &impl Disk) {
    disk.create("a", 10).expect("creates a file");
    let mut bytes = [9; 20];
    assert_eq!(disk.read_at("a", 4, &mut bytes).expect("reads"), 6);
    assert_eq!(bytes[..7], [0, 0, 0, 0, 0, 0, 9]);
    assert_eq!(disk.read_at("a", 10, &mut bytes).expect("reads"), 0);
    assert_eq!(disk.read_at("a", 1_000, &mut bytes).expect("reads"), 0);
    clear(disk);
}

fn files_are_shortened_and_never_grow(disk: &impl Disk) {
    disk.create("a", 1_000).expect("creates a file");
    disk.write_at("a", 0, &[7; 1_000]).expect("writes");
    disk.truncate("a", 600).expect("shortens");
    assert_eq!(content(disk, "a", 2_000), vec![7; 600]);
    let longer = disk.truncate("a", 601).map_err(|error| error.kind());
    assert_eq!(longer, Err(ErrorKind::InvalidInput));
    let beyond = disk.write_at("a", 599, &[1; 2]).map_err(|error| error.kind());
    assert_eq!(beyond, Err(ErrorKind::InvalidInput));
    clear(disk);
}

fn renaming_replaces(disk: &impl Disk) {
    disk.create("a", 5).expect("creates a file");
    disk.write_at("a", 0, b"first").expect("writes");
    disk.sync("a").expect("syncs");
    disk.create("b", 3).expect("creates a file");
    disk.rename("a", "b").expect("renames");
    assert_eq!(content(disk, "b", 10), b"first");
    disk.write_at("b", 0, b"F").expect("writes under the new name");
    assert_eq!(content(disk, "b", 10), b"First");
    assert_eq!(disk.list().expect("lists"), vec![("b".to_owned(), 5)]);
    clear(disk);
}

fn missing_files_are_not_found(disk: &impl Disk) {
    disk.create("gone", 1).expect("creates a file");
    disk.remove("gone").expect("removes");
    let errors = [
        disk.write_at("gone", 0, b"x").err(),
        disk.sync("gone").err(),
        disk.read_at("gone", 0, &mut [0]).err(),
        disk.truncate("gone", 0).err(),
        disk.rename("gone", "b").err(),
        disk.remove("gone").err(),
    ];
    for error in errors {
        assert_eq!(error.map(|error| error.kind()), Some(ErrorKind::NotFound));
    }
    clear(disk);
}

fn lists_are_in_name_order(disk: &impl Disk) {
    for (name, length) in [("b", 2), ("c", 3), ("a", 1)] {
        disk.create(name, length).expect("creates a file");
    }
    let expected = [("a", 1), ("b", 2), ("c", 3)];
    let listed = disk.list().expect("lists");
    assert!(listed.iter().map(|(name, length)| (name.as_str(), *length)).eq(expected));
    clear(disk);
}

fn a_file_is_put_as_a_whole_and_replaces(disk: &impl Disk) {
    for pieces in [&[b"some".as_slice(), b"thing"][..], &[b"less"], &[]] {
        disk.put("a", pieces).expect("puts a file");
        assert_eq!(content(disk, "a", 20), pieces.concat());
        let length = pieces.concat().len() as u64;
        assert_eq!(disk.list().expect("lists"), vec![("a".to_owned(), length)]);
    }
    clear(disk);
}

fn folders_hold_files_of_their_own(disk: &impl Disk) {
    assert_eq!(disk.list_in("inner").expect("lists"), vec![]);
    disk.put("inner/b", &[b"two"]).expect("puts a file");
    disk.create("inner/a", 1).expect("creates a file");
    disk.create("b", 2).expect("creates a file");
    assert_eq!(content(disk, "inner/b", 20), b"two");
    assert_eq!(disk.list().expect("lists"), vec![("b".to_owned(), 2)]);
    let inner = vec![("inner/a".to_owned(), 1), ("inner/b".to_owned(), 3)];
    assert_eq!(disk.list_in("inner").expect("lists"), inner);
    disk.rename("inner/a", "inner/c").expect("renames");
    disk.remove("inner/b").expect("removes");
    let inner = vec![("inner/c".to_owned(), 1)];
    assert_eq!(disk.list_in("inner").expect("lists"), inner);
    disk.remove("inner/c").expect("removes");
    clear(disk);
}
