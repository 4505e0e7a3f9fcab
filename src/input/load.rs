//! Loading: the scenario, what it names, and the faults of all of them together.

use super::at::{At, Span};
use super::canon;
use super::capacity_file::{CAPACITY_FORMAT, CapacityFile, Refused};
use super::codes;
use super::faults::Faults;
use super::read::{Files, MAX_BYTES, Sources, Unreadable};
use super::request_file::{RequestFile, Rows, Slip};
use super::scenario_file::ScenarioFile;
use super::series_file::{self, Days, Series, SeriesColumns, Trace};
use super::suggest;
use super::validate::profile::{ProfileContext, profile};
use super::validate::{Known, scenario};
use super::workload_file::{SeriesRefFile, WorkloadFile};
use super::yaml;
use crate::catalog::{Catalog, builtin};
use crate::diagnostic::{Diagnostic, Severity};
use crate::domain::{InputFile, Profile, Scenario};
use crate::ids::{AcceleratorId, ProfileId, WorkloadId};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A scenario that is sound, with what is worth knowing about it.
#[derive(Debug)]
pub struct Loaded {
    /// The scenario.
    pub scenario: Scenario,
    /// Warnings and notes.
    pub diagnostics: Vec<Diagnostic>,
    /// Texts that the diagnostics point into.
    pub sources: Sources,
    /// File of capacity tables that the scenario names.
    pub capacity_tables: Option<String>,
}

/// A scenario that is not: every fault that was found.
#[derive(Debug)]
pub struct Rejected {
    /// Faults, warnings and notes.
    pub diagnostics: Vec<Diagnostic>,
    /// Texts that the diagnostics point into.
    pub sources: Sources,
}

/// Key of a series: its file and columns.
pub type SeriesKey = (String, SeriesColumns);

/// Which profile a workload means: its name, and its file if it names one.
pub type ProfileKey = (String, Option<String>);

/// Data files that workloads name; `None` for one that is not sound, whose faults are told already.
#[derive(Debug, Default)]
pub struct DataFiles {
    /// Series.
    pub series: BTreeMap<SeriesKey, Option<Series>>,
    /// Traces.
    pub traces: BTreeMap<String, Option<Trace>>,
    /// Capacity tables, if the scenario names a file of them and it is sound.
    pub capacity: Option<CapacityFile>,
    profile_ids: BTreeMap<ProfileKey, Option<ProfileId>>,
}

impl DataFiles {
    /// The profile that a workload means, if it is sound.
    #[must_use]
    pub fn profile_of(&self, workload: &WorkloadFile) -> Option<ProfileId> {
        self.profile_ids.get(&profile_key(workload)).cloned().flatten()
    }
}

/// Key of a series as a workload refers to it.
#[must_use]
pub fn series_key(file: &SeriesRefFile) -> SeriesKey {
    let rate = file.rate_column.as_ref().map_or("rate_rps", |column| column.value.as_str()).to_owned();
    (file.file.value.clone(), SeriesColumns { rate, idc: file.idc_column.as_ref().map(|column| column.value.clone()) })
}

fn profile_key(workload: &WorkloadFile) -> ProfileKey {
    (workload.profile.value.clone(), workload.profile_file.as_ref().map(|file| file.value.clone()))
}

/// Prices to plan on.
#[derive(Clone, Debug, PartialEq)]
pub struct PriceBook {
    /// What can be bought, and the GPU types.
    pub catalog: Catalog,
    /// What the prices are, as an input of the plan: name and digest.
    pub origin: InputFile,
}

/// What is taken of a scenario, and what goes with it.
#[derive(Clone, Copy, Debug, Default)]
pub struct LoadOptions<'a> {
    /// Days of every series, so that a plan can be tried on days that it was not made from; none: all.
    pub days: Option<Days>,
    /// Do not look at the capacity tables: for whoever is about to make them.
    pub ignore_tables: bool,
    /// Prices; none: those that are compiled in.
    pub prices: Option<&'a PriceBook>,
}

/// Loads `scenario.yaml`, or the one in a folder.
///
/// # Errors
/// All faults of the scenario and of every file that it names.
pub fn load(path: &Path) -> Result<Loaded, Rejected> {
    load_with(path, LoadOptions::default())
}

/// Loads a scenario with some of its days only, without its capacity tables, or with other prices.
///
/// # Errors
/// As [`load`]; a series that does not have these days.
pub fn load_with(path: &Path, options: LoadOptions<'_>) -> Result<Loaded, Rejected> {
    let file = if path.is_dir() { path.join("scenario.yaml") } else { path.to_owned() };
    let root = file.parent().map(Path::to_owned).unwrap_or_default();
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    gather(Files::Disk(&root), &name, Choice { demo: false, options })
}

/// Name of the embedded prices among a plan's inputs.
pub const BUILTIN_PRICES: &str = "builtin:offerings.csv";

/// What is taken of which scenario.
#[derive(Clone, Copy, Debug)]
struct Choice<'a> {
    /// The embedded example.
    demo: bool,
    options: LoadOptions<'a>,
}

/// Loads the embedded example.
///
/// # Errors
/// Never with the data that is in the tree: a test loads it.
pub fn load_builtin_demo() -> Result<Loaded, Rejected> {
    load_builtin_demo_with(LoadOptions::default())
}

/// Loads the embedded example with other prices, or some days of it.
///
/// # Errors
/// The prices lack a region or a machine that the example names.
pub fn load_builtin_demo_with(options: LoadOptions<'_>) -> Result<Loaded, Rejected> {
    let mut loaded = gather(Files::Embedded(builtin::DEMO), "scenario.yaml", Choice { demo: true, options })?;
    mark_as_demo(&mut loaded.scenario);
    Ok(loaded)
}

/// Reads through a trace of requests, for a replay; it may be packed with gzip, and of any length.
///
/// # Errors
/// All faults of the file, with their lines; of a file above 64 MiB the first one.
pub fn requests(path: &Path) -> Result<RequestFile, Rejected> {
    let sound = |reader| {
        let mut rows = Rows::open(reader)?;
        let mut file = RequestFile { path: path.to_owned(), has_tokens: rows.has_tokens(), rows: 0, last_s: 0.0 };
        for request in &mut rows {
            file.last_s = request?.t_s;
            file.rows += 1;
        }
        Ok(file)
    };
    match super::read::stream(path).map(sound) {
        Ok(Ok(file)) if file.rows > 0 => Ok(file),
        Ok(Err(slip)) => Err(all_faults(path, Some(&slip))),
        Ok(Ok(_)) | Err(_) => Err(all_faults(path, None)),
    }
}

/// Every fault of a trace that can be held as a text, else the one that was met.
fn all_faults(path: &Path, met: Option<&Slip>) -> Rejected {
    let mut faults = Faults::of(path);
    let mut sources = Sources::new();
    match (super::read::text(path), met) {
        (Err(Unreadable::TooLarge), Some(slip)) => {
            let message = format!("`{}`, line {}: {}", path.display(), slip.line, slip.message);
            faults.error(codes::BAD_CELL, Span::default(), message).help("every cell is a finite number, not negative; `t_s` never falls");
        }
        (Err(why), _) => {
            unreadable(path, &why, Span::default(), &mut faults);
        }
        (Ok(text), _) => {
            let sound = series_file::trace(&text, &mut faults).is_some();
            if sound {
                faults.error(codes::BAD_CELL, Span::default(), met.map_or("it changed while it was read", |slip| &slip.message));
            }
            sources.insert(path.to_owned(), text);
        }
    }
    Rejected { diagnostics: faults.into_vec(), sources }
}

/// Names of the example never pass for the user's own: all start with `demo-`, and nothing patches a Deployment.
fn mark_as_demo(scenario: &mut Scenario) {
    let demo = |name: &str| format!("demo-{name}");
    scenario.name = demo(&scenario.name);
    scenario.freeze = scenario.freeze.iter().map(|id| WorkloadId::new(demo(id.as_str()))).collect();
    if let Some(network) = &mut scenario.network {
        let named = std::mem::take(&mut network.workloads);
        network.workloads = named.into_iter().map(|(id, remote)| (WorkloadId::new(demo(id.as_str())), remote)).collect();
    }
    scenario.buying.shrinking = scenario.buying.shrinking.iter().map(|id| WorkloadId::new(demo(id.as_str()))).collect();
    for workload in &mut scenario.workloads {
        workload.id = WorkloadId::new(demo(workload.id.as_str()));
        workload.namespace = demo(&workload.namespace);
        workload.scale_target = None;
    }
}

/// What has been read and found so far.
struct Desk<'a> {
    files: Files<'a>,
    catalog: Catalog,
    accelerators: BTreeSet<AcceleratorId>,
    diagnostics: Vec<Diagnostic>,
    sources: Sources,
    profiles: BTreeMap<ProfileId, Profile>,
    data: DataFiles,
    inputs: BTreeSet<InputFile>,
    /// Days of every series that count; none: all.
    days: Option<Days>,
}

fn gather(files: Files<'_>, name: &str, Choice { demo, options }: Choice<'_>) -> Result<Loaded, Rejected> {
    let shown = files.shown(name);
    let known = options.prices.map_or_else(builtin::catalog, |prices| Ok(prices.catalog.clone()));
    let catalog = match known {
        Ok(catalog) => catalog,
        Err(error) => {
            let broken = Diagnostic::new(codes::BROKEN_BUILTIN, Severity::Error, error.to_string());
            return Err(Rejected { diagnostics: vec![broken], sources: Sources::new() });
        }
    };
    let mut desk = Desk {
        files,
        accelerators: catalog.accelerators.iter().map(|row| AcceleratorId::new(&*row.id)).collect(),
        catalog,
        diagnostics: Vec::new(),
        sources: Sources::new(),
        profiles: BTreeMap::new(),
        data: DataFiles::default(),
        inputs: BTreeSet::new(),
        days: options.days,
    };
    let mut faults = Faults::of(&shown);
    let text = match files.read(name) {
        Ok(text) => text,
        Err(why) => {
            unreadable(&shown, &why, Span::default(), &mut faults).help("write one with `gpuplan init`, or name the file or its folder");
            return Err(Rejected { diagnostics: faults.into_vec(), sources: desk.sources });
        }
    };
    let parsed = yaml::parse::<ScenarioFile>(&text, &mut faults);
    desk.sources.insert(shown.clone(), text);
    let Some(file) = parsed.value else {
        // Nothing is known of what the scenario names, but the profiles beside it can be looked through.
        desk.profiles_beside();
        let mut diagnostics = faults.into_vec();
        diagnostics.append(&mut desk.diagnostics);
        return Err(desk.rejected(diagnostics, &shown));
    };
    desk.profiles_of(&file, &mut faults);
    desk.data_of(&file, &mut faults);
    if let (Some(named), false) = (&file.capacity_tables, options.ignore_tables) {
        desk.data.capacity = desk.capacity_of(named, &mut faults);
    }
    let known = Known { catalog: &desk.catalog, profiles: &desk.profiles, data: &desk.data, demo };
    let before = faults.len();
    let mut scenario = scenario(&file, &known, &mut faults);
    faults.retain_from(before, |diagnostic| !parsed.excuses.cover(diagnostic));
    let mut diagnostics = faults.into_vec();
    diagnostics.append(&mut desk.diagnostics);
    if diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error) {
        return Err(desk.rejected(diagnostics, &shown));
    }
    scenario.sha256 = canon::sha256(&scenario);
    let own = if demo { format!("builtin:{name}") } else { name.to_owned() };
    desk.inputs.insert(InputFile { path: own, sha256: scenario.sha256.clone() });
    let embedded = |path: &str, text: &str| InputFile { path: path.to_owned(), sha256: canon::sha256_hex(text.as_bytes()) };
    desk.inputs.insert(embedded("builtin:accelerators.csv", builtin::ACCELERATORS_CSV));
    let prices = options.prices.map(|prices| prices.origin.clone());
    desk.inputs.insert(prices.unwrap_or_else(|| embedded(BUILTIN_PRICES, builtin::OFFERINGS_CSV)));
    scenario.inputs = desk.inputs.into_iter().collect();
    sort(&mut diagnostics, &shown);
    let capacity_tables = file.capacity_tables.map(|named| named.value);
    Ok(Loaded { scenario, diagnostics, sources: desk.sources, capacity_tables })
}

/// By file, the scenario's own first, and by place.
fn sort(diagnostics: &mut [Diagnostic], first: &Path) {
    diagnostics.sort_by_cached_key(|diagnostic| {
        let place = diagnostic.place.as_ref();
        let path = place.map(|place| place.path.clone());
        (path.as_deref() != Some(first), path, place.map(|place| place.span.start))
    });
}

/// A fault for a file that cannot be had.
fn unreadable<'f>(shown: &Path, why: &Unreadable, at: Span, faults: &'f mut Faults) -> &'f mut Diagnostic {
    let shown = shown.display();
    match why {
        Unreadable::Missing(why) => faults.error(codes::NO_FILE, at, format!("cannot read `{shown}`: {why}")),
        Unreadable::TooLarge => {
            faults.error(codes::NOT_TEXT, at, format!("`{shown}` is no text to read: larger than {} MiB", MAX_BYTES >> 20))
        }
        Unreadable::NotText(why) => faults.error(codes::NOT_TEXT, at, format!("`{shown}` is no text to read: {why}")),
    }
}

/// Where a profile is.
enum Found {
    /// Relative to the scenario.
    Beside(String),
    /// In `profiles/` of the working folder.
    Here(String),
    /// Compiled in.
    Builtin(&'static builtin::Embedded),
}

impl Desk<'_> {
    fn rejected(self, mut diagnostics: Vec<Diagnostic>, shown: &Path) -> Rejected {
        sort(&mut diagnostics, shown);
        Rejected { diagnostics, sources: self.sources }
    }

    /// Reads each profile that a workload names, once.
    fn profiles_of(&mut self, file: &ScenarioFile, faults: &mut Faults) {
        for workload in &file.workloads.value {
            let key = profile_key(workload);
            if !self.data.profile_ids.contains_key(&key) {
                let id = self.profile_of(workload, faults);
                self.data.profile_ids.insert(key, id);
            }
        }
    }

    fn profile_of(&mut self, workload: &WorkloadFile, faults: &mut Faults) -> Option<ProfileId> {
        let name = &workload.profile;
        let at = workload.profile_file.as_ref().map_or(name.span, |file| file.span);
        let (shown, recorded, text) = match self.find(workload) {
            None => {
                self.unknown_profile(name, faults);
                return None;
            }
            Some(Found::Builtin(file)) => {
                let shown = format!("builtin:profiles/{}", file.path);
                (PathBuf::from(&shown), shown, Ok(file.text.to_owned()))
            }
            Some(Found::Beside(path)) => (self.files.shown(&path), self.recorded(&path), self.files.read(&path)),
            Some(Found::Here(path)) => (PathBuf::from(&path), path.clone(), Files::Disk(Path::new("")).read(&path)),
        };
        let text = text.map_err(|why| unreadable(&shown, &why, at, faults)).ok()?;
        let id = self.read_profile((&shown, recorded), text)?;
        if id.as_str() != name.value {
            faults
                .error(codes::NAME_OF_FILE, at, format!("the file holds profile `{id}`, the workload means `{}`", name.value))
                .help(format!("write `profile: {id}`"));
        }
        Some(id)
    }

    fn find(&self, workload: &WorkloadFile) -> Option<Found> {
        if let Some(file) = &workload.profile_file {
            return Some(Found::Beside(file.value.clone()));
        }
        // A name with a slash would be a path: names are checked with the profile itself.
        let name = workload.profile.value.as_str();
        let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'));
        let path = format!("profiles/{name}.yaml");
        if plain && self.files.has(&path) {
            return Some(Found::Beside(path));
        }
        if plain && matches!(self.files, Files::Disk(_)) && Files::Disk(Path::new("")).has(&path) {
            return Some(Found::Here(path));
        }
        builtin::profile(name).map(Found::Builtin)
    }

    fn unknown_profile(&self, name: &At<String>, faults: &mut Faults) {
        let beside = self.files.profiles();
        let own = beside.iter().filter_map(|path| path.strip_prefix("profiles/")?.strip_suffix(".yaml"));
        let builtin = builtin::PROFILES.iter().filter_map(|file| file.path.strip_suffix(".yaml"));
        let known: Vec<&str> = own.chain(builtin).collect();
        let message = format!("unknown profile {}", super::validate::values::quoted(name));
        faults.error(codes::UNKNOWN_PROFILE, name.span, message).help = suggest::help(name, known);
    }

    /// Path in the list of inputs.
    fn recorded(&self, path: &str) -> String {
        match self.files {
            Files::Disk(_) => path.to_owned(),
            Files::Embedded(_) => format!("builtin:{path}"),
        }
    }

    /// Reads and checks one profile; its faults go with its own file.
    fn read_profile(&mut self, (shown, recorded): (&Path, String), text: String) -> Option<ProfileId> {
        let mut faults = Faults::of(shown);
        let stem = Path::new(&recorded).file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let sha256 = canon::sha256_hex(text.as_bytes());
        let parsed = yaml::parse(&text, &mut faults);
        let before = faults.len();
        let context = ProfileContext { stem: &stem, accelerators: &self.accelerators, sha256: sha256.clone() };
        let profile = parsed.value.map(|file| profile(&file, &context, &mut faults));
        faults.retain_from(before, |diagnostic| !parsed.excuses.cover(diagnostic));
        self.sources.insert(shown.to_owned(), text);
        let sound = !faults.has_errors_since(0);
        self.diagnostics.extend(faults.into_vec());
        let profile = profile.filter(|_| sound)?;
        let id = profile.id.clone();
        self.inputs.insert(InputFile { path: recorded, sha256 });
        self.profiles.insert(id.clone(), profile);
        Some(id)
    }

    /// Looks through all profiles beside the scenario.
    fn profiles_beside(&mut self) {
        for path in self.files.profiles() {
            if let Ok(text) = self.files.read(&path) {
                let shown = self.files.shown(&path);
                self.read_profile((&shown, path), text);
            }
        }
    }

    /// Reads each series and trace that a workload names, once.
    fn data_of(&mut self, file: &ScenarioFile, faults: &mut Faults) {
        for demand in file.workloads.iter().filter_map(|workload| workload.demand.as_ref()) {
            if let Some(given) = &demand.series {
                let key = series_key(given);
                if !self.data.series.contains_key(&key) {
                    let series = self.csv(&given.file, faults, |text, csv| series_file::series(text, &key.1, csv));
                    let series = self.of_days(series, &given.file, faults);
                    self.data.series.insert(key, series);
                }
            }
            for given in [&demand.trace, &demand.like].into_iter().flatten() {
                if !self.data.traces.contains_key(&given.file.value) {
                    let trace = self.csv(&given.file, faults, series_file::trace);
                    self.data.traces.insert(given.file.value.clone(), trace);
                }
            }
        }
    }

    /// The days of a series that count.
    fn of_days(&self, series: Option<Series>, file: &At<String>, faults: &mut Faults) -> Option<Series> {
        let (Some(days), Some(all)) = (self.days, &series) else { return series };
        let found = all.only(days);
        if found.is_none() {
            let count = all.buckets.len() * all.step_s as usize / 86_400;
            let message = format!("`{}` has {count} days, not days {} to {}", file.value, days.first, days.last);
            faults.error(codes::SHORT_SERIES, file.span, message).help("choose --plan-on and --replay-on among the days that it has");
        }
        found
    }

    /// Reads the capacity tables.
    fn capacity_of(&mut self, named: &At<String>, faults: &mut Faults) -> Option<CapacityFile> {
        let shown = self.files.shown(&named.value);
        let text = match self.files.read(&named.value) {
            Ok(text) => text,
            Err(why) => {
                unreadable(&shown, &why, named.span, faults).help("`gpuplan calibrate` writes it");
                return None;
            }
        };
        self.inputs.insert(InputFile { path: self.recorded(&named.value), sha256: canon::sha256_hex(text.as_bytes()) });
        let shown = shown.display();
        let (code, message) = match CapacityFile::parse(&text) {
            Ok(file) => return Some(file),
            Err(Refused::Form(why)) => (codes::NO_CAPACITY_FILE, format!("`{shown}` holds no capacity tables: {why}")),
            Err(Refused::Format(found)) => {
                (codes::NO_CAPACITY_FILE, format!("`{shown}` has format `{found}`, this program reads `{CAPACITY_FORMAT}`"))
            }
            Err(Refused::Table(which)) => (codes::NO_CAPACITY_FILE, format!("`{shown}` holds a table that is none, of {which}")),
            Err(Refused::Digest) => {
                (codes::CAPACITY_CHANGED, format!("`{shown}` was changed after it was calibrated: its digest is another"))
            }
        };
        faults.error(code, named.span, message).help("make it again with `gpuplan calibrate`; numbers of your own belong into a profile");
        None
    }

    fn csv<T>(&mut self, file: &At<String>, faults: &mut Faults, parse: impl Fn(&str, &mut Faults) -> Option<T>) -> Option<T> {
        let shown = self.files.shown(&file.value);
        let text = self.files.read(&file.value).map_err(|why| unreadable(&shown, &why, file.span, faults)).ok()?;
        let mut own = Faults::of(&shown);
        let value = parse(&text, &mut own);
        self.inputs.insert(InputFile { path: self.recorded(&file.value), sha256: canon::sha256_hex(text.as_bytes()) });
        self.sources.insert(shown, text);
        self.diagnostics.extend(own.into_vec());
        value
    }
}
