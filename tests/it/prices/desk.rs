//! A user at a machine without a network: a cache and a home of their own, no variable of the real ones, clouds on loopback.

#![expect(clippy::unwrap_used, reason = "test")]

use super::clouds::Server;
use crate::planned;
use crate::repository::gpuplan;
use flate2::read::GzDecoder;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// An API key that must not be seen anywhere.
pub const KEY: &str = "AIzaSyThisKeyIsSecretAndMustNotBeSeen01";

/// Credentials of an account; all but the first must not be seen anywhere.
#[cfg(any(feature = "aws", feature = "gcp"))]
pub const ACCESS_KEY: &str = "AKIDLOOPBACKEXAMPLE0";
pub const SECRET_KEY: &str = "wJalrXUtnFEMIThisIsSecretToo02";
pub const SESSION_TOKEN: &str = "IQoJb3JpZ2luX2VjThisTokenIsSecretAsWell03";
const SECRETS: [&str; 3] = [KEY, SECRET_KEY, SESSION_TOKEN];

/// Variables whose like is taken out of the environment.
const TAKEN_OUT: [&str; 8] = ["AWS_", "GOOGLE_", "CLOUDSDK_", "GCLOUD_", "AZURE_", "GPUPLAN_", "XDG_", "SSL_CERT_"];

/// A user.
pub struct Desk {
    folder: tempfile::TempDir,
    variables: BTreeMap<&'static str, String>,
}

/// How a run ended.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// The document on standard output.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|fault| panic!("{fault}: {self:?}"))
    }

    /// Both streams hold each of the words.
    pub fn says(&self, words: &[&str]) -> &Self {
        for word in words {
            assert!(self.err.contains(word) || self.out.contains(word), "no `{word}` in:\n{}{}", self.err, self.out);
        }
        self
    }

    /// The exit code.
    pub fn ends(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "{}{}", self.err, self.out);
        self
    }
}

impl Desk {
    /// With nothing in the cache, and every public address on this server.
    pub fn at(server: &Server) -> Self {
        Self::with(&server.url())
    }

    /// The same, at an address where nobody need listen.
    pub fn with(url: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("home")).unwrap();
        let mut desk = Self { folder, variables: BTreeMap::new() };
        desk.point_to(url);
        desk.set("GOOGLE_API_KEY", KEY);
        desk
    }

    /// Points all public addresses elsewhere.
    pub fn point_to(&mut self, url: &str) {
        self.set("GPUPLAN_AWS_PRICES_URL", &format!("{url}/aws"));
        self.set("GPUPLAN_AWS_SPOT_URL", &format!("{url}/aws/spot.json"));
        self.set("GPUPLAN_AWS_ADVISOR_URL", &format!("{url}/aws/spot-advisor-data.json"));
        self.set("GPUPLAN_AZURE_PRICES_URL", &format!("{url}/azure/api/retail/prices"));
        self.set("GPUPLAN_GCP_BILLING_URL", &format!("{url}/gcp/v1"));
    }

    /// Sets a variable.
    pub fn set(&mut self, variable: &'static str, value: &str) -> &mut Self {
        self.variables.insert(variable, value.to_owned());
        self
    }

    /// Takes a variable out again.
    pub fn unset(&mut self, variable: &str) -> &mut Self {
        self.variables.remove(variable);
        self
    }

    /// The folder that `GPUPLAN_CACHE_DIR` names.
    pub fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    /// A folder for files of the test.
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// The program with this user's environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = gpuplan(arguments);
        for (variable, _) in std::env::vars_os() {
            let name = variable.to_string_lossy().to_ascii_uppercase();
            if TAKEN_OUT.iter().any(|start| name.starts_with(start)) || name.ends_with("_PROXY") {
                command.env_remove(&variable);
            }
        }
        command.env("HOME", self.home()).env("GPUPLAN_CACHE_DIR", self.cache()).envs(&self.variables);
        // Nobody asks a machine of the cloud who it is.
        command.env("AWS_EC2_METADATA_DISABLED", "true").current_dir(self.home()).stdin(Stdio::null());
        command
    }

    /// Runs it. Whatever happens, no secret is in any output.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        ran(self.command(arguments).output().unwrap())
    }

    /// `prices refresh`, with the clouds, regions and whatever else is named.
    pub fn refresh(&self, more: &str) -> Ran {
        let arguments: Vec<&str> = ["prices", "refresh"].into_iter().chain(more.split_whitespace()).collect();
        self.run(&arguments)
    }

    /// Files of the cache's snapshots, oldest first.
    pub fn snapshots(&self) -> BTreeMap<String, Vec<u8>> {
        files(&self.cache().join("prices").join("snapshots"))
    }

    /// The newest snapshot. No secret is in it.
    pub fn newest(&self) -> Value {
        let snapshots = self.snapshots();
        let (name, packed) = snapshots.last_key_value().unwrap();
        let mut text = String::new();
        GzDecoder::new(&packed[..]).read_to_string(&mut text).unwrap();
        assert!(SECRETS.iter().all(|secret| !text.contains(secret)), "{name} holds a secret");
        serde_json::from_str(&text).unwrap()
    }

    /// Digest of the newest snapshot, by its name.
    pub fn digest(&self) -> String {
        let snapshots = self.snapshots();
        let name = snapshots.last_key_value().unwrap().0;
        name.split_once('-').unwrap().1.strip_suffix(".json.gz").unwrap().to_owned()
    }

    /// Copies the cache of another user.
    pub fn take_cache_of(&self, other: &Self) {
        planned::copy(&other.cache(), &self.cache());
    }
}

/// What came of it; no secret is in it.
pub fn ran(output: Output) -> Ran {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let ran = Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) };
    assert!(SECRETS.iter().all(|secret| !ran.out.contains(secret) && !ran.err.contains(secret)), "a secret was shown: {ran:?}");
    assert!(!ran.err.contains("panicked"), "{ran:?}");
    ran
}

/// Name of a row: as `prices show` takes it.
pub fn name(row: &Value) -> String {
    let parts = ["cloud", "region", "instance_type", "capacity_type", "term", "product", "payment"];
    let parts: Vec<&str> = parts.iter().map(|part| row[part].as_str().unwrap()).filter(|part| !part.is_empty()).collect();
    parts.join("/")
}

/// Rows of a snapshot by name.
pub fn rows(snapshot: &Value) -> BTreeMap<String, Value> {
    snapshot["rows"].as_array().unwrap().iter().map(|row| (name(row), row.clone())).collect()
}

/// Prices that the newest refresh read, dollars an hour by name. Two refreshes of one second are kept apart by a snapshot's time, which
/// is not that of its prices then.
pub fn read_now(snapshot: &Value) -> BTreeMap<String, f64> {
    let newest = snapshot["refreshed"].as_array().unwrap().iter().filter_map(|region| region["taken_at"].as_str()).max();
    let now = rows(snapshot).into_iter().filter(|(_, row)| newest.is_some() && row["read_at"].as_str() == newest);
    now.map(|(name, row)| (name, row["usd_per_hour"].as_f64().unwrap())).collect()
}

/// Files of a folder by name; none where there is no folder.
pub fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let Ok(entries) = fs::read_dir(folder) else { return BTreeMap::new() };
    let file = |entry: &fs::DirEntry| (entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path()).unwrap());
    entries.map(Result::unwrap).filter(|entry| entry.path().is_file()).map(|entry| file(&entry)).collect()
}
