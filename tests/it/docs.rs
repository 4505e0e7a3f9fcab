//! Documents that cannot quietly go stale: links, subcommands, transcripts, diagnostics codes, and what no file may hold.

use crate::markdown::{anchors, fences, links};
use crate::repository;
use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

/// Documents that between them mention every subcommand, and whose transcripts name only existing ones.
const GUIDES: &[&str] = &["README.md", "docs/user-guide.md"];
/// Documents whose transcripts also use only existing flags.
const GUIDES_WITH_CHECKED_FLAGS: &[&str] = &["README.md"];

#[test]
fn relative_links_resolve() {
    let files: BTreeSet<PathBuf> = repository::files().into_iter().collect();
    let documents = repository::files_in("", "md");
    assert!(documents.len() > 3, "only {} Markdown files found", documents.len());
    let text = |path: &Path| repository::text(path).unwrap_or_default();
    let faults: Vec<String> = documents.iter().flat_map(|document| broken_links(document, &text(document), &files, &text)).collect();
    assert!(faults.is_empty(), "{} broken links:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn every_subcommand_is_in_a_guide() {
    let guides = guide_text(GUIDES);
    let missing: Vec<String> = subcommands().into_iter().filter(|name| !guides.contains(&format!("gpuplan {name}"))).collect();
    assert!(missing.is_empty(), "`gpuplan {}` is in none of {GUIDES:?}", missing.join("`, `gpuplan "));
}

#[test]
fn transcripts_use_existing_subcommands_and_flags() {
    let known = subcommands();
    let mut faults = Vec::new();
    for guide in GUIDES {
        for (line, words) in transcripts(&guide_text(&[guide])) {
            let subcommand = words.iter().find(|word| !word.starts_with('-'));
            let unknown = subcommand.filter(|name| !known.contains(*name));
            faults.extend(unknown.map(|name| format!("{guide}:{line}: there is no `gpuplan {name}`")));
            if unknown.is_none() && GUIDES_WITH_CHECKED_FLAGS.contains(guide) {
                let help = help(subcommand.map(String::as_str));
                faults.extend(unknown_flags(&words, &help).into_iter().map(|flag| format!("{guide}:{line}: no flag `{flag}`")));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_diagnostics_code_is_documented_and_every_documented_code_exists() {
    let document = Path::new("docs/diagnostics.md");
    if !repository::root().join(document).is_file() {
        return;
    }
    let documented = codes(&repository::text(document).unwrap_or_default());
    let sources = repository::files_in("src", "rs");
    let used: BTreeSet<String> = sources.iter().flat_map(|path| codes_in_strings(&repository::text(path).unwrap_or_default())).collect();
    let undocumented: Vec<&String> = used.difference(&documented).collect();
    let unused: Vec<&String> = documented.difference(&used).collect();
    assert!(undocumented.is_empty(), "not in docs/diagnostics.md: {undocumented:?}");
    assert!(unused.is_empty(), "in docs/diagnostics.md and nowhere in src: {unused:?}");
}

#[test]
fn no_file_names_a_machine_or_a_registry() {
    let mut faults = Vec::new();
    for path in repository::files() {
        let is_lock = path.file_name().is_some_and(|name| name == "Cargo.lock");
        let Some(text) = repository::text(&path) else { continue };
        let lines = text.lines().enumerate().filter(|_| !is_lock);
        faults.extend(lines.filter_map(|(at, line)| foreign(line).map(|what| format!("{}:{}: {what}", path.display(), at + 1))));
    }
    assert!(faults.is_empty(), "places that exist on one machine only, or package registries:\n{}", faults.join("\n"));
}

/// What the relative links of one document point at that is not there.
fn broken_links(document: &Path, text: &str, files: &BTreeSet<PathBuf>, read: &dyn Fn(&Path) -> String) -> Vec<String> {
    let mut faults = Vec::new();
    for link in links(text) {
        let is_elsewhere = ["https://", "http://", "mailto:"].iter().any(|scheme| link.target.starts_with(scheme));
        let (file, anchor) = link.target.split_once('#').unwrap_or((&link.target, ""));
        let target = if file.is_empty() { document.to_owned() } else { joined(document.parent().unwrap_or(Path::new("")), file) };
        let is_folder = files.iter().any(|f| f.starts_with(&target));
        let fault = if is_elsewhere {
            None
        } else if file.starts_with('/') || !is_folder {
            Some("no such file")
        } else if !anchor.is_empty() && target.extension().is_some_and(|e| e == "md") {
            let content = if file.is_empty() { text.to_owned() } else { read(&target) };
            (!anchors(&content).iter().any(|a| a == anchor)).then_some("no such anchor")
        } else {
            None
        };
        faults.extend(fault.map(|what| format!("{}:{}: {what}: {}", document.display(), link.line, link.target)));
    }
    faults
}

/// `folder` and `relative` as one path, `.` and `..` resolved.
fn joined(folder: &Path, relative: &str) -> PathBuf {
    let mut path = PathBuf::new();
    for component in folder.join(relative).components() {
        match component {
            Component::ParentDir => {
                // A link that leaves the repository resolves to nothing that is in it.
                if !path.pop() {
                    path.push("..");
                }
            }
            Component::CurDir => {}
            other => path.push(other),
        }
    }
    path
}

/// The text of those documents that exist.
fn guide_text(guides: &[&str]) -> String {
    let existing = guides.iter().filter(|guide| repository::root().join(guide).is_file());
    existing.map(|guide| repository::text(Path::new(guide)).unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// What `gpuplan [subcommand] --help` prints.
fn help(subcommand: Option<&str>) -> String {
    let arguments: Vec<&str> = subcommand.into_iter().chain(["--help"]).collect();
    let output = repository::gpuplan(&arguments).output().unwrap_or_else(|e| panic!("gpuplan {arguments:?} did not start: {e}"));
    assert!(output.status.success(), "gpuplan {arguments:?} failed");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn subcommands() -> BTreeSet<String> {
    let names = subcommands_of(&help(None));
    assert!(names.contains("optimize") && names.len() > 3, "cannot read the help: {names:?}");
    names
}

/// The names under `Commands:` of a help text; `help` itself left out.
fn subcommands_of(help: &str) -> BTreeSet<String> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.trim().is_empty());
    // A wrapped description is indented further than a name.
    let names = listed.filter(|line| line.starts_with("  ") && !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

/// The arguments of every `$ gpuplan ...` line of the `console` and `sh` blocks, up to a pipe, a comment or a redirection.
fn transcripts(text: &str) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    for fence in fences(text).into_iter().filter(|fence| ["console", "sh", "shell", "bash"].contains(&fence.language.as_str())) {
        let mut lines = fence.lines.into_iter();
        while let Some((number, mut line)) = lines.next() {
            while let Some(rest) = line.strip_suffix('\\') {
                line = format!("{rest} {}", lines.next().map_or(String::new(), |(_, next)| next));
            }
            if let Some(command) = line.trim_start().strip_prefix("$ gpuplan") {
                let words = command.split_whitespace().take_while(|word| !word.starts_with(['|', '>', '#', '&', ';', '<']));
                found.push((number, words.map(str::to_owned).collect()));
            }
        }
    }
    found
}

/// Flags among `words` that a help text does not list. `-40%` is a value.
fn unknown_flags(words: &[String], help: &str) -> Vec<String> {
    let listed: BTreeSet<&str> = help.split(|c: char| !(c == '-' || c.is_alphanumeric())).filter(|word| word.starts_with('-')).collect();
    let is_flag = |word: &&String| word.trim_start_matches('-').starts_with(char::is_alphabetic) && word.starts_with('-');
    let names = words.iter().filter(is_flag).map(|word| word.split('=').next().unwrap_or(word));
    names.filter(|name| !listed.contains(name)).map(str::to_owned).collect()
}

/// Codes such as `E1204` anywhere in a text.
fn codes(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    words
        .filter(|word| word.len() == 5 && word.starts_with('E') && word[1..].chars().all(|c| c.is_ascii_digit()))
        .map(str::to_owned)
        .collect()
}

/// Codes that stand alone between quotes: the ones that the program uses, not the ones that a comment speaks of.
fn codes_in_strings(source: &str) -> BTreeSet<String> {
    source.split('"').filter(|part| part.len() == 5).flat_map(codes).collect()
}

/// A path of one machine, or a package registry, in a line. Put together here so that this file does not hold them.
fn foreign(line: &str) -> Option<String> {
    let folders =
        [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/tmp", "/wt"), concat!("/tmp", "/spec"), concat!("/tmp", "/targets")];
    for folder in folders {
        for (at, _) in line.match_indices(folder) {
            // Only where a path starts, and not the cache folder inside a container.
            let starts = !line[..at].ends_with(|c: char| c.is_alphanumeric() || "/._-}".contains(c));
            if starts && !line[at..].starts_with(concat!("/ro", "ot/.cache")) {
                return Some(format!("`{folder}`"));
            }
        }
    }
    let registries = [
        concat!("crates", ".io"),
        concat!("pypi", ".org"),
        concat!("python", "hosted.org"),
        concat!("registry.", "npmjs"),
        concat!("proxy.", "golang.org"),
    ];
    registries.iter().find(|host| line.contains(**host)).map(|host| format!("`{host}`"))
}

/// The checks themselves, on snippets.
mod self_tests {
    use super::*;

    #[test]
    fn broken_links_are_seen() {
        let files: BTreeSet<PathBuf> = ["a.md", "docs/b.md", "docs/img/c.png"].map(PathBuf::from).into();
        let read = |_: &Path| "# Only one\n".to_owned();
        let broken = |text: &str| broken_links(Path::new("docs/b.md"), text, &files, &read).len();
        assert_eq!(broken("# Here\n[x](../a.md) [y](b.md) [z](img/c.png) [f](img) [h](#here) [o](../a.md#only-one) [w](https://x/y)"), 0);
        for text in ["[x](a.md)", "[x](../../a.md)", "[x](#gone)", "[x](../a.md#gone)", "[x](/a.md)", "[x](img/d.png)"] {
            assert_eq!(broken(text), 1, "{text}");
        }
    }

    #[test]
    fn transcripts_are_read() {
        let text =
            "```console\n$ gpuplan optimize x.yaml \\\n    --target -40% | less\noutput --no\n$ ls\n```\n```yaml\n$ gpuplan no\n```\n";
        assert_eq!(transcripts(text), [(2, ["optimize", "x.yaml", "--target", "-40%"].map(str::to_owned).to_vec())]);
    }

    #[test]
    fn unknown_flags_are_seen() {
        let help = "Options:\n  -o, --out <DIR>  where\n      --target <TARGET>  [possible: -x]";
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(unknown_flags(&words("optimize --target -40% --out=x -o y"), help), [""; 0]);
        assert_eq!(unknown_flags(&words("optimize --targets -40% --ou -p"), help), ["--targets", "--ou", "-p"]);
    }

    #[test]
    fn subcommands_are_read_from_the_help() {
        let help =
            "About\n\nCommands:\n  optimize     Make\n                wrapped\n  check  Hold\n  help   Print\n\nOptions:\n  -h, --help\n";
        assert_eq!(subcommands_of(help), ["check", "optimize"].map(str::to_owned).into());
    }

    #[test]
    fn codes_are_read() {
        assert_eq!(codes("| `E1204` | [E1001](#e1001), E12, EX204"), ["E1001", "E1204"].map(str::to_owned).into());
        assert_eq!(codes_in_strings("// E9999 \"see E8888\"\nlet c = \"E1204\";"), ["E1204"].map(str::to_owned).into());
    }

    #[test]
    fn machine_paths_and_registries_are_seen() {
        for line in
            [concat!("see /wo", "rk/x"), concat!("\"/ro", "ot/.cargo"), concat!("(/tmp", "/wt/a)"), concat!("https://crates", ".io/x")]
        {
            assert!(foreign(line).is_some(), "{line}");
        }
        for line in [concat!("https://a.b/wo", "rk/x"), concat!("/ro", "ot/.cache/huggingface"), "src/workload.rs", "/workloads/x"] {
            assert_eq!(foreign(line), None, "{line}");
        }
    }
}
