//! The files of each template: path and text.

/// A file of a project.
pub type File = (&'static str, &'static str);

macro_rules! files {
    ($folder:literal: $($path:literal = $file:literal),* $(,)?) => {
        &[$((
            $path,
            include_str!(concat!("../../../templates/", $folder, "/", $file)),
        )),*]
    };
}

/// A visitor is greeted.
pub const HELLO: &[File] = files!("hello":
    "contracts/greeting.yaml" = "contracts/greeting.yaml",
    "contracts/guest_book.yaml" = "contracts/guest_book.yaml",
    "contracts/visitor.yaml" = "contracts/visitor.yaml",
    "contracts/welcome.yaml" = "contracts/welcome.yaml",
    "onex.toml" = "onex.toml",
    "README.md" = "README.md",
    ".gitignore" = "gitignore",
);
