//! A performance profile: operating points, cold start, checkpoint.

use super::slices;
use super::values::{between, count, date, is_dns_label, not_negative, number, one_line, positive, quoted};
use crate::catalog::partition;
use crate::domain::{
    Checkpoint, ColdStart, DecodeStep, Evidence, GangPoint, Knot, LlmModel, OperatingPoint, Performance, Profile, ProfileKind, Spread,
};
use crate::ids::{AcceleratorId, ProfileId};
use crate::input::at::At;
use crate::input::codes;
use crate::input::faults::Faults;
use crate::input::profile_file::{
    CheckpointFile, ColdStartFile, EvidenceFile, JobFile, LlmFile, LlmTableFile, PROFILE_FORMAT, ProfileFile, ProfileKindFile, RequestFile,
    SpreadFile, VariantFile,
};
use crate::input::suggest;
use crate::units::{GiB, Millis, PerSecond, Seconds};
use std::collections::BTreeSet;

/// What a profile is checked against.
#[derive(Clone, Debug)]
pub struct ProfileContext<'a> {
    /// Stem of the file, which is the name that the profile must have.
    pub stem: &'a str,
    /// Accelerators of the catalogue.
    pub accelerators: &'a BTreeSet<AcceleratorId>,
    /// SHA-256 of the file.
    pub sha256: String,
}

/// The profile. Sound if no fault was added.
pub fn profile(file: &ProfileFile, context: &ProfileContext<'_>, faults: &mut Faults) -> Profile {
    if file.format.value != PROFILE_FORMAT {
        faults
            .error(codes::WRONG_FORMAT, file.format.span, format!("format {} is not known", quoted(&file.format)))
            .help(format!("this program reads `{PROFILE_FORMAT}`"));
    }
    check_name(file, context, faults);
    one_line(faults, &file.title, ("title", file.name.span));
    let sources: BTreeSet<&str> = file.sources.iter().map(|source| source.id.as_str()).collect();
    for source in &file.sources {
        date(faults, &source.as_of, "as_of");
    }
    let kind = match file.kind {
        ProfileKindFile::Llm => ProfileKind::Llm,
        ProfileKindFile::Request => ProfileKind::Request,
        ProfileKindFile::Job => ProfileKind::Job,
    };
    if file.variants.is_empty() {
        faults.error(codes::NO_VARIANT, file.variants.span, "the profile has no operating point");
    }
    let mut points: Vec<OperatingPoint> = Vec::with_capacity(file.variants.len());
    let mut seen = BTreeSet::new();
    for variant in &file.variants.value {
        let slice = variant.slice.as_ref().map(|slice| slice.as_str());
        if !seen.insert((variant.accelerator.as_str(), variant.gpus_per_replica.value, variant.precision.as_str(), slice)) {
            let (accelerator, gpus) = (&variant.accelerator.value, variant.gpus_per_replica.value);
            let message = format!("the operating point `{accelerator}` x{gpus} `{}` is there twice", variant.precision.value);
            faults.error(codes::DUPLICATE_NAME, variant.accelerator.span, message);
        }
        cite(&variant.source, &variant.as_of, &sources, faults);
        points.push(point(variant, kind, context, faults));
    }
    points.sort_by(|a, b| slices::key(a).cmp(&slices::key(b)));
    if kind != ProfileKind::Job && (file.checkpoint.is_some() || file.divisible) {
        faults.error(codes::WRONG_BLOCK, file.name.span, "`checkpoint` and `divisible` belong to profiles of kind `job`");
    }
    Profile {
        id: ProfileId::new(&*file.name.value),
        kind,
        title: file.title.clone(),
        work_unit: file.work_unit.clone(),
        points,
        cold_start: cold_start(&file.cold_start, &sources, faults),
        checkpoint: file.checkpoint.as_ref().map(|given| checkpoint(given, &sources, faults)),
        divisible: file.divisible,
        sha256: context.sha256.clone(),
    }
}

fn check_name(file: &ProfileFile, context: &ProfileContext<'_>, faults: &mut Faults) {
    if !file.name.split('.').all(is_dns_label) {
        faults
            .error(codes::BAD_NAME, file.name.span, format!("`name` {} is no profile name", quoted(&file.name)))
            .help("use lower-case letters, digits, dashes and dots");
    } else if file.name.value != context.stem {
        faults
            .error(
                codes::NAME_OF_FILE,
                file.name.span,
                format!("the profile `{}` stands in a file named `{}`", file.name.value, context.stem),
            )
            .help("name the file after the profile");
    }
}

/// Source and day of a block of numbers.
fn cite(source: &At<String>, as_of: &At<String>, sources: &BTreeSet<&str>, faults: &mut Faults) {
    date(faults, as_of, "as_of");
    if !sources.contains(source.as_str()) {
        let diagnostic = faults.error(codes::UNKNOWN_SOURCE, source.span, format!("source {} is not among `sources`", quoted(source)));
        diagnostic.help = suggest::help(source, sources.iter().copied());
    }
}

/// A point on a part of a GPU: one slice by a known name, for requests, and measured. What is not measured is derived from the whole card.
fn part_of_a_gpu(file: &VariantFile, (slice, kind): (&At<String>, ProfileKind), faults: &mut Faults) {
    if !partition::is_slice_name(slice) {
        faults.error(codes::BAD_SLICE, slice.span, format!("`slice` {} is no part of a GPU", quoted(slice))).help(
            "write a MIG profile such as `1g.10gb`, or `mps-2`, `mps-4`, `mps-8`, `time-slicing-2`, `time-slicing-4`, `time-slicing-8`",
        );
    }
    let whole = file.gpus_per_replica.value != 1;
    if whole || kind == ProfileKind::Job || file.evidence == EvidenceFile::Estimated {
        let (at, what) = if whole {
            (file.gpus_per_replica.span, "a replica on a part of a GPU has one")
        } else if kind == ProfileKind::Job {
            (slice.span, "jobs run on whole GPUs")
        } else {
            (slice.span, "an estimated point on a part of a GPU is not taken")
        };
        faults
            .error(codes::BAD_SLICE, at, what)
            .help("leave the point out: what is not measured on a slice is derived from the whole card");
    }
}

fn point(file: &VariantFile, kind: ProfileKind, context: &ProfileContext<'_>, faults: &mut Faults) -> OperatingPoint {
    let accelerator = AcceleratorId::new(&*file.accelerator.value);
    if !context.accelerators.contains(&accelerator) {
        let message = format!("unknown accelerator {}", quoted(&file.accelerator));
        faults.error(codes::UNKNOWN_ACCELERATOR, file.accelerator.span, message).help =
            suggest::help(&file.accelerator, context.accelerators.iter().map(AcceleratorId::as_str));
    }
    if ![1, 2, 4, 8].contains(&file.gpus_per_replica.value) {
        faults
            .error(codes::OUT_OF_RANGE, file.gpus_per_replica.span, format!("`gpus_per_replica` is {}", file.gpus_per_replica.value))
            .label("must be 1, 2, 4 or 8: a replica stays inside one node");
    }
    if !is_dns_label(&file.precision) {
        faults.error(codes::BAD_NAME, file.precision.span, format!("`precision` {} is no lower-case name", quoted(&file.precision)));
    }
    one_line(faults, &file.engine, ("engine", file.accelerator.span));
    if let Some(slice) = &file.slice {
        part_of_a_gpu(file, (slice, kind), faults);
    }
    OperatingPoint {
        accelerator,
        gpus_per_replica: file.gpus_per_replica.value,
        precision: file.precision.value.clone(),
        engine: file.engine.clone(),
        evidence: match file.evidence {
            EvidenceFile::Measured => Evidence::Measured,
            EvidenceFile::Fitted => Evidence::Fitted,
            EvidenceFile::Estimated => Evidence::Estimated,
        },
        requires_nvlink: file.requires_nvlink,
        slice: file.slice.as_ref().map(|given| given.value.clone()),
        weights: file.weights_gib.as_ref().map(|given| GiB(number(faults, given, positive("weights_gib")))),
        gpu_memory: GiB(number(faults, &file.gpu_memory_gib, positive("gpu_memory_gib"))),
        vcpus: number(faults, &file.vcpus, not_negative("vcpus")),
        ram: GiB(number(faults, &file.ram_gib, not_negative("ram_gib"))),
        performance: performance(file, kind, faults),
        source: file.source.value.clone(),
        as_of: file.as_of.value.clone(),
    }
}

/// The one performance model of an operating point, of the profile's kind.
fn performance(file: &VariantFile, kind: ProfileKind, faults: &mut Faults) -> Performance {
    match (&file.llm, &file.llm_table, &file.request, &file.job, kind) {
        (Some(llm), None, None, None, ProfileKind::Llm) => Performance::Llm(closed_form(llm, faults)),
        (None, Some(table), None, None, ProfileKind::Llm) => Performance::Llm(tabled(table, faults)),
        (None, None, Some(request), None, ProfileKind::Request) => Performance::Request { knots: knots(request, faults) },
        (None, None, None, Some(job), ProfileKind::Job) => Performance::Job { throughput: throughput(job, faults) },
        _ => {
            let wanted = match kind {
                ProfileKind::Llm => "`llm` or `llm_table`",
                ProfileKind::Request => "`request`",
                ProfileKind::Job => "`job`",
            };
            faults.error(
                codes::WRONG_BLOCK,
                file.accelerator.span,
                format!("an operating point of this `kind` needs exactly one block {wanted}"),
            );
            Performance::Job { throughput: Vec::new() }
        }
    }
}

fn closed_form(file: &At<LlmFile>, faults: &mut Faults) -> LlmModel {
    LlmModel {
        decode: DecodeStep::Affine {
            alpha_ms: number(faults, &file.decode_alpha_ms, positive("decode_alpha_ms")),
            beta_ms: number(faults, &file.decode_beta_ms_per_seq, not_negative("decode_beta_ms_per_seq")),
            eps_ms_per_ktok: number(faults, &file.decode_eps_ms_per_seq_ktok, not_negative("decode_eps_ms_per_seq_ktok")),
        },
        prefill_gamma_ms: number(faults, &file.prefill_gamma_ms, not_negative("prefill_gamma_ms")),
        prefill_delta_ms_per_ktok: number(faults, &file.prefill_delta_ms_per_ktok, not_negative("prefill_delta_ms_per_ktok")),
        prefill_zeta_ms_per_ktok2: number(faults, &file.prefill_zeta_ms_per_ktok2, not_negative("prefill_zeta_ms_per_ktok2")),
        max_batch: count(faults, &file.max_batch, ("max_batch", 1)),
        max_kv_tokens: number(faults, &file.max_kv_tokens, positive("max_kv_tokens")),
    }
}

fn tabled(file: &At<LlmTableFile>, faults: &mut Faults) -> LlmModel {
    let LlmTableFile { batch, context_tokens, step_ms, .. } = &file.value;
    let ascending = |axis: &[f64]| axis.len() >= 2 && axis[0] > 0.0 && axis.windows(2).all(|pair| pair[0] < pair[1] && pair[1].is_finite());
    let rectangular = step_ms.len() == batch.len() && step_ms.iter().all(|row| row.len() == context_tokens.len());
    let sound = step_ms.iter().flatten().all(|ms| ms.is_finite() && *ms > 0.0);
    if !(ascending(batch) && ascending(context_tokens) && rectangular && sound) {
        faults
            .error(codes::BAD_TABLE, file.span, "`llm_table` is no table")
            .help("`batch` and `context_tokens` ascend, two values or more; `step_ms` has a row for each batch, a positive number for each context");
    }
    LlmModel {
        decode: DecodeStep::Table { batch: batch.clone(), context_tokens: context_tokens.clone(), step_ms: step_ms.clone() },
        prefill_gamma_ms: number(faults, &file.prefill_gamma_ms, not_negative("prefill_gamma_ms")),
        prefill_delta_ms_per_ktok: number(faults, &file.prefill_delta_ms_per_ktok, not_negative("prefill_delta_ms_per_ktok")),
        prefill_zeta_ms_per_ktok2: number(faults, &file.prefill_zeta_ms_per_ktok2, not_negative("prefill_zeta_ms_per_ktok2")),
        max_batch: count(faults, &file.max_batch, ("max_batch", 1)),
        max_kv_tokens: number(faults, &file.max_kv_tokens, positive("max_kv_tokens")),
    }
}

fn knots(file: &At<RequestFile>, faults: &mut Faults) -> Vec<Knot> {
    let mut last = 0.0;
    for knot in &file.knots {
        let numbers = [knot.concurrency, knot.rate_per_s, knot.p50_ms, knot.p95_ms, knot.p99_ms];
        let sound = numbers.iter().all(|n| n.is_finite() && *n > 0.0) && knot.p50_ms <= knot.p95_ms && knot.p95_ms <= knot.p99_ms;
        if !sound || knot.concurrency <= last {
            faults
                .error(codes::BAD_TABLE, knot.span, "this knot does not fit the curve")
                .help("all numbers are positive, concurrency ascends from knot to knot, and p50 <= p95 <= p99");
        }
        last = knot.concurrency;
    }
    if file.knots.is_empty() {
        faults.error(codes::BAD_TABLE, file.span, "a curve needs a knot");
    }
    let knots = file.knots.iter().map(|knot| Knot {
        concurrency: knot.concurrency,
        rate: PerSecond(knot.rate_per_s),
        p50: Millis(knot.p50_ms),
        p95: Millis(knot.p95_ms),
        p99: Millis(knot.p99_ms),
    });
    knots.collect()
}

fn throughput(file: &At<JobFile>, faults: &mut Faults) -> Vec<GangPoint> {
    let mut last = 0;
    for gang in &file.throughput {
        if gang.workers <= last || !gang.units_per_s.is_finite() || gang.units_per_s <= 0.0 {
            faults
                .error(codes::BAD_TABLE, gang.span, "this width does not fit the others")
                .help("`workers` ascends from 1 on, `units_per_s` is positive");
        }
        last = gang.workers;
    }
    if file.throughput.is_empty() {
        faults.error(codes::BAD_TABLE, file.span, "a job needs a throughput");
    }
    file.throughput.iter().map(|gang| GangPoint { workers: gang.workers, units_per_s: gang.units_per_s }).collect()
}

fn cold_start(file: &ColdStartFile, sources: &BTreeSet<&str>, faults: &mut Faults) -> ColdStart {
    ColdStart {
        image_pull: spread(&file.image_pull_s, sources, faults),
        weights_load: spread(&file.weights_load_s, sources, faults),
        engine_start: spread(&file.engine_start_s, sources, faults),
    }
}

fn spread(file: &At<SpreadFile>, sources: &BTreeSet<&str>, faults: &mut Faults) -> Spread {
    cite(&file.source, &file.as_of, sources, faults);
    let sound = |s: f64| s.is_finite() && (0.0..=86_400.0).contains(&s);
    if !sound(file.p50) || !sound(file.p95) || file.p50 > file.p95 {
        faults
            .error(codes::OUT_OF_RANGE, file.span, format!("a stage takes {} s in the median and {} s at p95", file.p50, file.p95))
            .label("must be between 0 and a day, and p50 <= p95");
    }
    Spread { p50: Seconds(file.p50), p95: Seconds(file.p95) }
}

fn checkpoint(file: &CheckpointFile, sources: &BTreeSet<&str>, faults: &mut Faults) -> Checkpoint {
    cite(&file.source, &file.as_of, sources, faults);
    Checkpoint {
        save: Seconds(number(faults, &file.save_s, between("save_s", 0.0, 86_400.0))),
        restart: Seconds(number(faults, &file.restart_s, between("restart_s", 0.0, 86_400.0))),
    }
}
