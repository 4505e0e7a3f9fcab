//! CSV files of demand: series of rates, and traces of single requests. `t_s` 0 is Monday 00:00 in the workload's zone.

use super::at::Span;
use super::codes;
use super::faults::Faults;
use super::suggest;

/// Rates by equal time steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Length of a step, seconds; an hour holds a whole number of steps.
    pub step_s: u32,
    /// Day of the week that it starts on, 0 is Monday.
    pub first_day: usize,
    /// Steps, a whole number of days.
    pub buckets: Vec<Bucket>,
    /// It has a column of dispersion.
    pub has_idc: bool,
}

/// Days of a series, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days {
    /// First.
    pub first: usize,
    /// Last.
    pub last: usize,
}

impl Series {
    /// The series without its other days; `None` when it does not have them all.
    #[must_use]
    pub fn only(&self, days: Days) -> Option<Self> {
        let per_day = 86_400 / self.step_s as usize;
        let buckets = self.buckets.get((days.first - 1) * per_day..days.last * per_day)?.to_vec();
        Some(Self { first_day: (self.first_day + days.first - 1) % 7, buckets, ..self.clone() })
    }
}

/// One step of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// Requests a second.
    pub rate: f64,
    /// Index of dispersion of the counts; 1 is Poisson.
    pub idc: f64,
}

/// Single requests.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// In the order of time.
    pub requests: Vec<Request>,
    /// It has token columns.
    pub has_tokens: bool,
}

/// One request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Request {
    /// Seconds after Monday 00:00.
    pub t_s: f64,
    /// Prompt length.
    pub input_tokens: f64,
    /// Answer length.
    pub output_tokens: f64,
}

/// Columns of a series.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeriesColumns {
    /// Rate column.
    pub rate: String,
    /// Dispersion column; `None`: `idc` if there is one.
    pub idc: Option<String>,
}

const DAY_S: f64 = 86_400.0;

/// Names of the column of prompt lengths in a trace, and of answer lengths.
pub(super) const TOKEN_COLUMNS: [[&str; 2]; 2] = [["input_tokens", "in_tok"], ["output_tokens", "out_tok"]];

/// Times beyond a year are in another unit, or count from another day.
pub(super) const LATEST_S: f64 = 366.0 * DAY_S;

/// Largest number of any other column.
pub(super) const LARGEST: f64 = 1e12;

/// Faults reported of one CSV file at most.
const MAX_FAULTS: usize = 8;

/// Reads a series; `None` when it is not sound, with the faults told.
pub fn series(text: &str, columns: &SeriesColumns, faults: &mut Faults) -> Option<Series> {
    let before = faults.len();
    let mut table = Table::open(text, faults)?;
    let t = table.column(&["t_s"], faults)?;
    let rate = table.column(&[columns.rate.as_str()], faults)?;
    let idc = match &columns.idc {
        Some(name) => Some(table.column(&[name.as_str()], faults)?),
        None => table.find("idc"),
    };
    let wanted: Vec<usize> = [Some(t), Some(rate), idc].into_iter().flatten().collect();
    let rows = table.numbers(&wanted, faults);
    if faults.len() > before {
        return None;
    }
    let times: Vec<(f64, Span)> = rows.iter().map(|row| (row.values[0], row.span)).collect();
    let step_s = step(&times, faults)?;
    let per_day = 86_400 / step_s as usize;
    let mut buckets: Vec<Bucket> =
        rows.iter().map(|row| Bucket { rate: row.values[1], idc: row.values.get(2).copied().unwrap_or(1.0) }).collect();
    if buckets.len() < per_day {
        let hours = buckets.len() as f64 * f64::from(step_s) / 3600.0;
        let at = times.last().map(|(_, span)| *span).unwrap_or_default();
        faults
            .error(codes::SHORT_SERIES, at, format!("the series covers {hours:.1} h, less than a day"))
            .help("give at least one whole day; use `like` with a trace for burstiness alone");
        return None;
    }
    buckets.truncate(buckets.len() / per_day * per_day);
    let first_day = (times[0].0 / DAY_S).round() as usize % 7;
    Some(Series { step_s, first_day, buckets, has_idc: idc.is_some() })
}

/// Reads a trace; `None` when it is not sound, with the faults told.
pub fn trace(text: &str, faults: &mut Faults) -> Option<Trace> {
    let before = faults.len();
    let mut table = Table::open(text, faults)?;
    let t = table.column(&["t_s"], faults)?;
    let [input, output] = TOKEN_COLUMNS.map(|names| names.into_iter().find_map(|name| table.find(name)));
    let tokens = input.zip(output);
    let wanted: Vec<usize> = std::iter::once(t).chain(tokens.into_iter().flat_map(|(i, o)| [i, o])).collect();
    let rows = table.numbers(&wanted, faults);
    let mut last = 0.0;
    for row in &rows {
        if row.values[0] < last {
            faults
                .error(codes::OUT_OF_ORDER, row.span, format!("the request at {} s comes after one at {last} s", row.values[0]))
                .help("sort the trace by `t_s`");
            break;
        }
        last = row.values[0];
    }
    if faults.len() > before {
        return None;
    }
    let value = |row: &Row, i: usize| row.values.get(i).copied().unwrap_or(0.0);
    let requests =
        rows.iter().map(|row| Request { t_s: row.values[0], input_tokens: value(row, 1), output_tokens: value(row, 2) }).collect();
    Some(Trace { requests, has_tokens: tokens.is_some() })
}

/// The one step of a series, with its faults: order, evenness, start at midnight, steps to an hour.
fn step(times: &[(f64, Span)], faults: &mut Faults) -> Option<u32> {
    if times.len() < 2 {
        let at = times.first().map(|(_, span)| *span).unwrap_or_default();
        faults.error(codes::SHORT_SERIES, at, "a series needs at least a day of steps, this one has one row");
        return None;
    }
    let step = times[1].0 - times[0].0;
    for pair in times.windows(2) {
        let (gap, at) = (pair[1].0 - pair[0].0, pair[1].1);
        if gap <= 0.0 {
            faults
                .error(codes::OUT_OF_ORDER, at, format!("`t_s` {} does not come after {}", pair[1].0, pair[0].0))
                .help("sort the series by `t_s` and give each time once");
            return None;
        }
        // Times with a rounded millisecond are even enough.
        if (gap - step).abs() > 0.01 {
            faults
                .error(codes::UNEVEN_STEPS, at, format!("a step of {gap} s after steps of {step} s"))
                .label("the first uneven step")
                .help("resample to equal steps; write a rate of 0 for idle time, and leave no gap");
            return None;
        }
    }
    let whole = step.round();
    if (step - whole).abs() > 0.01 || !(1.0..=3600.0).contains(&whole) || 3600 % (whole as u32) != 0 {
        faults
            .error(codes::UNEVEN_STEPS, times[1].1, format!("steps of {step} s do not divide an hour"))
            .help("use steps of, for example, 60, 300, 600 or 3600 s");
        return None;
    }
    let days = times[0].0 / DAY_S;
    if (days - days.round()).abs() > 1e-6 {
        faults
            .error(codes::OFF_MIDNIGHT, times[0].1, format!("the series starts at {} s, which is no midnight", times[0].0))
            .help("`t_s` 0 is Monday 00:00 in the workload's zone; start at a multiple of 86400");
        return None;
    }
    Some(whole as u32)
}

/// A CSV being read.
struct Table<'a> {
    text: &'a str,
    reader: csv::Reader<&'a [u8]>,
    headers: Vec<String>,
}

/// The wanted numbers of one line.
struct Row {
    span: Span,
    values: Vec<f64>,
}

impl<'a> Table<'a> {
    fn open(text: &'a str, faults: &mut Faults) -> Option<Self> {
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).comment(Some(b'#')).from_reader(text.as_bytes());
        let headers = match reader.headers() {
            Ok(headers) => headers.iter().map(str::to_owned).collect::<Vec<_>>(),
            Err(error) => {
                faults.error(codes::BAD_CELL, Span::default(), format!("no CSV: {error}"));
                return None;
            }
        };
        if headers.iter().all(String::is_empty) {
            faults.error(codes::EMPTY_CSV, Span::default(), format!("`{}` is empty", faults.path().display()));
            return None;
        }
        Some(Self { text, reader, headers })
    }

    fn find(&self, name: &str) -> Option<usize> {
        self.headers.iter().position(|header| header == name)
    }

    /// A column that must be there.
    fn column(&self, names: &[&str], faults: &mut Faults) -> Option<usize> {
        let found = names.iter().find_map(|name| self.find(name));
        if found.is_none() {
            let wanted = names.join("` or `");
            let at = Span { start: 0, end: self.text.lines().next().unwrap_or_default().len() as u32 };
            let diagnostic = faults.error(codes::NO_COLUMN, at, format!("no column `{wanted}`"));
            diagnostic.help = suggest::help(names[0], self.headers.iter().map(String::as_str));
        }
        found
    }

    /// All lines' wanted columns as numbers that are finite and not negative.
    fn numbers(&mut self, wanted: &[usize], faults: &mut Faults) -> Vec<Row> {
        let before = faults.len();
        let mut rows = Vec::new();
        let mut record = csv::StringRecord::new();
        loop {
            match self.reader.read_record(&mut record) {
                Ok(false) => break,
                Ok(true) => {}
                Err(error) => {
                    let at = error.position().map(|p| line_at(self.text, p.byte())).unwrap_or_default();
                    faults.error(codes::BAD_CELL, at, format!("no CSV row: {}", csv_words(&error)));
                    if faults.len() - before >= MAX_FAULTS {
                        break;
                    }
                    continue;
                }
            }
            let byte = record.position().map_or(0, csv::Position::byte);
            let mut values = Vec::with_capacity(wanted.len());
            for &column in wanted {
                let cell = record.get(column).unwrap_or_default();
                let what = &self.headers[column];
                let is_time = what == "t_s";
                let most = if is_time { LATEST_S } else { LARGEST };
                match cell.parse::<f64>() {
                    Ok(value) if (0.0..=most).contains(&value) => values.push(value),
                    parsed => {
                        let late = is_time && parsed.is_ok_and(|value| value > most);
                        faults.error(codes::BAD_CELL, line_at(self.text, byte), format!("`{what}` is `{cell}`")).help(if late {
                            "`t_s` is in seconds after the Monday of the first day, a year at most"
                        } else {
                            "every cell is a finite number, not negative"
                        });
                    }
                }
            }
            if faults.len() - before >= MAX_FAULTS {
                break;
            }
            rows.push(Row { span: line_at(self.text, byte), values });
        }
        if rows.is_empty() && faults.len() == before {
            faults.error(codes::EMPTY_CSV, Span::default(), format!("`{}` has no rows", faults.path().display()));
        }
        rows
    }
}

fn csv_words(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => format!("{len} cells where the header has {expected_len}"),
        _ => error.to_string(),
    }
}

/// Place of the line that starts at or after a byte.
fn line_at(text: &str, byte: u64) -> Span {
    let mut start = usize::try_from(byte).unwrap_or(0).min(text.len());
    while text.as_bytes().get(start).is_some_and(|b| *b == b'\n' || *b == b'\r') {
        start += 1;
    }
    let end = text[start..].find('\n').map_or(text.len(), |i| start + i);
    Span { start: start as u32, end: text[start..end].trim_end().len() as u32 + start as u32 }
}
