//! A small reader of Markdown for the tests of the documents: links, anchors, fenced blocks.

use std::collections::BTreeMap;

/// A link as written, with its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    pub target: String,
    pub line: usize,
}

/// A fenced block: the word after the fence, and its lines with their numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fence {
    pub language: String,
    pub lines: Vec<(usize, String)>,
}

/// Splits a text into prose lines and fenced blocks.
fn split(text: &str) -> (Vec<(usize, &str)>, Vec<Fence>) {
    let (mut prose, mut fences) = (Vec::new(), Vec::new());
    let mut open: Option<(String, Fence)> = None;
    for (number, line) in text.lines().enumerate().map(|(at, line)| (at + 1, line)) {
        let trimmed = line.trim_start();
        let mark: String = trimmed.chars().take_while(|c| *c == '`' || *c == '~').collect();
        open = match open {
            None if mark.len() >= 3 => {
                let language = trimmed[mark.len()..].split_whitespace().next().unwrap_or("").to_owned();
                Some((mark, Fence { language, lines: Vec::new() }))
            }
            None => {
                prose.push((number, line));
                None
            }
            Some((fence_mark, fence)) if mark.starts_with(&fence_mark) && trimmed[mark.len()..].trim().is_empty() => {
                fences.push(fence);
                None
            }
            Some((fence_mark, mut fence)) => {
                fence.lines.push((number, line.to_owned()));
                Some((fence_mark, fence))
            }
        };
    }
    fences.extend(open.map(|(_, fence)| fence));
    (prose, fences)
}

/// Every fenced block.
pub fn fences(text: &str) -> Vec<Fence> {
    split(text).1
}

/// Targets of `[text](target)`, `![alt](target)` and `[name]: target`, code left out.
pub fn links(text: &str) -> Vec<Link> {
    let mut links = Vec::new();
    for (line, prose) in split(text).0 {
        let prose = without_code(prose);
        let inline = prose.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        let reference = prose.trim_start().strip_prefix('[').and_then(|rest| rest.split_once("]: ")).map(|(_, target)| target);
        for target in inline.chain(reference) {
            // A title may follow the target; angle brackets may enclose it.
            let target = target.split_whitespace().next().unwrap_or("").trim_matches(['<', '>']).to_owned();
            links.push(Link { target, line });
        }
    }
    links
}

fn without_code(prose: &str) -> String {
    prose.split('`').step_by(2).collect::<Vec<_>>().join(" ")
}

/// Anchors that a text offers: its headings, spelled as GitHub spells them, and `<a id="...">`.
pub fn anchors(text: &str) -> Vec<String> {
    let mut anchors = Vec::new();
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (_, line) in split(text).0 {
        let level = line.chars().take_while(|c| *c == '#').count();
        if (1..=6).contains(&level) && line[level..].starts_with(' ') {
            let slug = slug(&line[level..]);
            let count = seen.entry(slug.clone()).or_insert(0);
            anchors.push(if *count == 0 { slug } else { format!("{slug}-{count}") });
            *count += 1;
        }
        let ids = line.split("<a id=\"").skip(1).filter_map(|rest| rest.split('"').next());
        anchors.extend(ids.map(str::to_owned));
    }
    anchors
}

fn slug(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn links_are_found_outside_code() {
    let text = "see [a](x.md#y \"title\") and ![b](<p.png>), not `[c](d.md)`\n```sh\n[e](f.md)\n```\n[ref]: g.md\n";
    let targets: Vec<(String, usize)> = links(text).into_iter().map(|l| (l.target, l.line)).collect();
    assert_eq!(targets, [("x.md#y".to_owned(), 1), ("p.png".to_owned(), 1), ("g.md".to_owned(), 5)]);
}

#[test]
fn anchors_are_spelled_as_github_spells_them() {
    let text = "# The `lp` file, twice!\n## Same\n## Same\n```\n# not this\n```\n<a id=\"own\"></a>\n#nor-this\n";
    assert_eq!(anchors(text), ["the-lp-file-twice", "same", "same-1", "own"]);
}

#[test]
fn fences_keep_language_and_lines() {
    let text = "a\n```console\n$ x\n```\n~~~~\ny\n~~~\n~~~~\n";
    let expected = [
        Fence { language: "console".to_owned(), lines: vec![(3, "$ x".to_owned())] },
        Fence { language: String::new(), lines: vec![(6, "y".to_owned()), (7, "~~~".to_owned())] },
    ];
    assert_eq!(fences(text), expected);
}
