//! The files of each template: path and text.

/// A file of a project.
pub type File = (&'static str, &'static str);

macro_rules! text {
    ($path:expr) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/", $path))
    };
}

macro_rules! example {
    ($path:literal) => {
        ($path, text!(concat!("../../examples/01-order-fulfilment/", $path)))
    };
}

macro_rules! hello {
    ($path:literal) => {
        ($path, text!(concat!("templates/hello/", $path)))
    };
}

const IGNORED: File = (".gitignore", text!("templates/gitignore"));

/// A visitor is greeted.
pub const HELLO: &[File] = &[
    hello!("contracts/greeting.yaml"),
    hello!("contracts/guest_book.yaml"),
    hello!("contracts/visitor.yaml"),
    hello!("contracts/welcome.yaml"),
    hello!("onex.toml"),
    hello!("README.md"),
    IGNORED,
];

/// An order is paid and shipped, or cancelled: the contracts of the first example.
pub const ORDER: &[File] = &[
    example!("contracts/carrier.yaml"),
    example!("contracts/fulfil_order.yaml"),
    example!("contracts/label_file.yaml"),
    example!("contracts/order.yaml"),
    example!("contracts/payment.yaml"),
    example!("contracts/shipping_label.yaml"),
    example!("contracts/stock.yaml"),
    example!("orders/oversize.json"),
    example!("orders/placed.json"),
    example!("orders/refused.json"),
    example!("orders/sold-out.json"),
    example!("onex.toml"),
    ("README.md", text!("templates/order/README.md")),
    IGNORED,
];
