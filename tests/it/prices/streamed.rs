//! A region's price list is larger than memory should be: it is read as it comes, and only what is wanted of it is held.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "test")]

use super::aws;
use super::clouds::{Answer, Fault, Pieces, public};
use super::desk::{Desk, ran, read_now};
use super::expected::{compare, golden};
use serde_json::Value;
use std::fs;
use std::io::{self, Write};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

/// Machines that are not wanted; with their reservations some eight kilobytes each, so that the list comes to 60 MB.
const OTHERS: usize = 7_600;
const LEAST_BYTES: u64 = 60_000_000;

/// Peak memory of the process, MiB.
const MOST_MIB: u64 = 200;

/// Counts what is written.
struct Counted<'a>(&'a mut dyn Write, &'a AtomicU64);

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.1.fetch_add(bytes.len() as u64, Ordering::SeqCst);
        self.0.write_all(bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// A part of the list: others as `template` with `SKU` and `TYPE` filled in, and ours in the middle of them.
fn part(out: &mut dyn Write, (template, each): (&str, bool), ours: &Value) -> io::Result<()> {
    for at in 0..OTHERS {
        if at == OTHERS / 2 {
            for (name, value) in ours.as_object().unwrap() {
                write!(out, "{}:{value},", Value::from(name.as_str()))?;
            }
        }
        let (sku, machine) = (format!("OTHER{at:011}"), format!("m{}.{}xlarge", at % 9, at % 48));
        let last = if at + 1 == OTHERS { "" } else { "," };
        let text = if each { template.replace("SKU", &sku).replace("TYPE", &machine) } else { template.replace("SKU", &sku) };
        write!(out, "{text}{last}")?;
    }
    Ok(())
}

/// The list in its real layout: products, then prices by the hour, then reservations.
fn pieces(sent: Arc<AtomicU64>) -> Pieces {
    let ours = aws::price_list("us-east-1");
    let sku = |name: &str| aws::sku("us-east-1", name, "W");
    let template = |value: &Value, of: &str, machine: &str| value.to_string().replace(of, "SKU").replace(machine, "TYPE");
    let windows = sku("g6e.xlarge");
    let product = template(&ours["products"][&windows], &windows, "g6e.xlarge");
    let hourly = template(&ours["terms"]["OnDemand"][&windows], &windows, "g6e.xlarge");
    // Twelve ways to reserve a machine; ours has five.
    let reserved = ours["terms"]["Reserved"][&windows].as_object().unwrap();
    let twelve = (0..12).zip(reserved.iter().cycle()).map(|(at, (code, term))| format!("\"{code}{at}\":{term}"));
    let reserved = format!("{{{}}}", twelve.collect::<Vec<_>>().join(",")).replace(&windows, "SKU");
    let (product, hourly, reserved) = (format!("\"SKU\":{product}"), format!("\"SKU\":{hourly}"), format!("\"SKU\":{reserved}"));
    Arc::new(move |out| {
        let mut out = Counted(out, &sent);
        let out: &mut dyn Write = &mut out;
        write!(
            out,
            "{{\"formatVersion\":\"v1.0\",\"offerCode\":\"AmazonEC2\",\"publicationDate\":\"2026-08-01T00:00:00Z\",\"products\":{{"
        )?;
        part(out, (&product, true), &ours["products"])?;
        // A pause, after which the run has taken long enough for people to wonder.
        out.flush()?;
        thread::sleep(Duration::from_millis(1100));
        write!(out, "}},\"terms\":{{\"OnDemand\":{{")?;
        part(out, (&hourly, false), &ours["terms"]["OnDemand"])?;
        write!(out, "}},\"Reserved\":{{")?;
        part(out, (&reserved, false), &ours["terms"]["Reserved"])?;
        write!(out, "}}}},\"attributesList\":{{}}}}")
    })
}

/// `VmHWM` of a process, MiB; none once it is gone.
fn peak_mib(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kib| kib / 1024)
}

#[test]
fn a_large_list_is_read_in_little_memory() {
    let sent = Arc::new(AtomicU64::new(0));
    let server = public(vec![Fault::instead("/AmazonEC2/current/us-east-1/", Answer::Pieces(pieces(sent.clone())))]);
    let desk = Desk::at(&server);
    let mut command = desk.command(&["prices", "refresh", "--cloud", "aws", "--region", "us-east-1", "--retries", "0"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        peak = peak_mib(child.id()).unwrap_or(0).max(peak);
        thread::sleep(Duration::from_millis(2));
    }
    let ran = ran(child.wait_with_output().unwrap());
    ran.ends(0).says(&["AWS price list of us-east-1, ", " MiB ..."]);
    assert!(sent.load(Ordering::SeqCst) > LEAST_BYTES, "{sent:?}");
    assert!((1..MOST_MIB).contains(&peak), "{peak} MiB");
    // The right prices are found among the others.
    let wanted = golden("public.csv").into_iter().filter(|(name, _)| name.starts_with("aws/us-east-1/")).collect();
    compare(&read_now(&desk.newest()), &wanted, 1e-9);
}
