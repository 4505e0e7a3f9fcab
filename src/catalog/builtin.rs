//! What is compiled into the program: the catalogue, the profiles and the example scenario.

use super::rows::{Catalog, CatalogError};

/// GPU types.
pub const ACCELERATORS_CSV: &str = include_str!("data/accelerators.csv");
/// Prices.
pub const OFFERINGS_CSV: &str = include_str!("data/offerings.csv");

/// A text that is compiled in, under the path that it has in the repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Embedded {
    /// Path inside its folder.
    pub path: &'static str,
    /// Contents.
    pub text: &'static str,
}

/// Lists files of a folder of the repository: one line here for each new file.
macro_rules! embedded {
    ($folder:literal: $($path:literal),* $(,)?) => {
        &[$(Embedded { path: $path, text: include_str!(concat!("../../", $folder, "/", $path)) }),*]
    };
}

/// Profiles that need no file beside the scenario, by file name.
pub const PROFILES: &[Embedded] = embedded!("profiles":
    "bert-finetune.yaml",
    "bert-large-triton.yaml",
    "embedding-batch.yaml",
    "fastpitch-tts.yaml",
    "gpt-oss-20b.yaml",
    "imagenet-resnet50-training.yaml",
    "llama-3.1-70b.yaml",
    "llama-3.1-8b.yaml",
    "llama-8b-lora.yaml",
    "qwen3-30b-a3b.yaml",
    "resnet50-triton.yaml",
    "sdxl.yaml",
    "whisper-large-v3.yaml",
);

/// Folder of the example scenario in the repository.
pub const DEMO_FOLDER: &str = "scenarios/fleet-50k";

/// Files of the example scenario: `scenario.yaml` and what it refers to.
pub const DEMO: &[Embedded] = embedded!("scenarios/fleet-50k":
    "scenario.yaml",
    "traces/assistant-8b.csv",
    "traces/azure-2023-conv-excerpt.csv",
    "traces/campus-tutor.csv",
    "traces/chat-70b.csv",
    "traces/code-completion.csv",
    "traces/contract-intake.csv",
    "traces/image-studio.csv",
    "traces/ranker.csv",
    "traces/search-moe.csv",
    "traces/voice.csv",
);

/// The embedded catalogue.
///
/// # Errors
/// Never with the data that is in the tree (a test reads all of it); a broken row would be our fault.
pub fn catalog() -> Result<Catalog, CatalogError> {
    Catalog::parse(ACCELERATORS_CSV, OFFERINGS_CSV)
}

/// The embedded profile of that name.
#[must_use]
pub fn profile(name: &str) -> Option<&'static Embedded> {
    PROFILES.iter().find(|file| file.path.strip_suffix(".yaml") == Some(name))
}
