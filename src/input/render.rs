//! Diagnostics as a compiler prints them: file, line, column, the source line, what is wrong, the way out.

use super::read::Sources;
use crate::diagnostic::{Diagnostic, Severity};
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// Diagnostics shown at most; a file that is wrong throughout is told so once.
const MOST_SHOWN: usize = 50;

/// How to render.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// With colour.
    pub color: bool,
    /// Columns.
    pub width: usize,
}

impl Default for Style {
    fn default() -> Self {
        Self { color: false, width: 120 }
    }
}

/// All diagnostics as text, one blank line between two, and a last line that counts them.
#[must_use]
pub fn render(diagnostics: &[Diagnostic], sources: &Sources, style: Style) -> String {
    let renderer = if style.color { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.term_width(style.width);
    let mut text = String::new();
    for diagnostic in diagnostics.iter().take(MOST_SHOWN) {
        text.push_str(&renderer.render(&[group(diagnostic, sources)]));
        text.push_str("\n\n");
    }
    if diagnostics.len() > MOST_SHOWN {
        text.push_str(&format!("and {} more\n", diagnostics.len() - MOST_SHOWN));
    }
    text
}

/// `2 errors, 1 warning`, or nothing.
#[must_use]
pub fn count(diagnostics: &[Diagnostic]) -> String {
    let of = |severity: Severity| diagnostics.iter().filter(|d| d.severity == severity).count();
    let part = |n: usize, word: &str| match n {
        0 => None,
        1 => Some(format!("1 {word}")),
        n => Some(format!("{n} {word}s")),
    };
    let parts = [part(of(Severity::Error), "error"), part(of(Severity::Warning), "warning"), part(of(Severity::Note), "note")];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn group<'a>(diagnostic: &'a Diagnostic, sources: &'a Sources) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level.primary_title(&*diagnostic.message).id(diagnostic.code);
    let place = diagnostic.place.as_ref();
    let source = place.and_then(|place| Some((place, sources.get(&place.path)?)));
    let mut group = match source {
        Some((place, text)) => {
            let (start, line, span) = window(text, place.span.clone());
            let annotation = AnnotationKind::Primary.span(span).label(diagnostic.label.as_deref());
            let snippet = Snippet::source(start).line_start(line).path(place.path.display().to_string()).fold(true).annotation(annotation);
            title.element(snippet)
        }
        None => Group::with_title(title),
    };
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(&**help));
    }
    group
}

/// The lines that the span is in (the first three of them), the number of the first, and the span inside them.
fn window(text: &str, span: std::ops::Range<usize>) -> (&str, usize, std::ops::Range<usize>) {
    const MOST_LINES: usize = 3;
    let start = text.floor_char_boundary(span.start);
    let first = text[..start].rfind('\n').map_or(0, |i| i + 1);
    let stop = text[first..].match_indices('\n').nth(MOST_LINES - 1).map_or(text.len(), |(i, _)| first + i).max(start);
    // At least one character is marked, if there is one, and no line break at the end.
    let mut end = text.ceil_char_boundary(span.end.max(start + 1).min(stop)).max(start);
    while end > start + 1 && text[..end].ends_with('\n') {
        end -= 1;
    }
    let last = text[end..].find('\n').map_or(text.len(), |i| end + i);
    (&text[first..last], text[..first].matches('\n').count() + 1, start - first..end - first)
}

/// Where the lines of a text begin: many places are found without reading it again for each.
#[derive(Clone, Debug)]
pub struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    /// Finds the lines of a text.
    #[must_use]
    pub fn of(text: &'a str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(i, _)| i + 1)).collect();
        Self { text, starts }
    }

    /// Line and column of a byte, both from 1; columns are characters.
    #[must_use]
    pub fn position(&self, byte: usize) -> (usize, usize) {
        let line = self.starts.partition_point(|start| *start <= byte).max(1);
        let before = self.text.get(self.starts[line - 1]..byte).unwrap_or_default();
        (line, before.chars().count() + 1)
    }
}
