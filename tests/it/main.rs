//! The one integration crate. Each area has a file; goldens are plain files under `tests/golden/`.

mod cli;
mod docs;
mod layering;
mod markdown;
mod repository;
mod rust_source;
mod setup;
