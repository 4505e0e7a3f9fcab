//! A trace of requests of any length: checked once, then read row by row as often as it is played.
//!
//! In: a CSV file, possibly packed with gzip. Out: an iterator of requests; memory does not grow with the file.

use super::series_file::{LARGEST, LATEST_S, Request, TOKEN_COLUMNS};
use std::io::Read;
use std::path::PathBuf;

/// A trace that has been read through once and is sound.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestFile {
    /// Where it is.
    pub path: PathBuf,
    /// It has token columns.
    pub has_tokens: bool,
    /// Requests.
    pub rows: u64,
    /// Time of the last one, seconds after Monday 00:00.
    pub last_s: f64,
}

/// Where a trace stops being one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slip {
    /// Line, from 1; the header is 1 where no comment stands before it.
    pub line: u64,
    /// What is wrong.
    pub message: String,
}

impl RequestFile {
    /// Requests from the first on. The file has been checked: where it is no longer what it was, the rest is left out.
    #[must_use]
    pub fn open(&self) -> Box<dyn Iterator<Item = Request> + Send> {
        let rows = super::read::stream(&self.path).ok().and_then(|reader| Rows::open(reader).ok());
        Box::new(rows.into_iter().flatten().map_while(Result::ok))
    }
}

/// Requests of a text, one after the other.
pub struct Rows<R> {
    reader: csv::Reader<R>,
    record: csv::StringRecord,
    /// Columns of the time and, where both are there, of the tokens.
    time: usize,
    tokens: Option<(usize, usize)>,
    last_s: f64,
}

impl<R: Read> Rows<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// No CSV, or no column `t_s`.
    pub fn open(inner: R) -> Result<Self, Slip> {
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).comment(Some(b'#')).from_reader(inner);
        let headers = reader.headers().map_err(|error| slip(&error, 1))?;
        let column = |name: &str| headers.iter().position(|header| header == name);
        let time = column("t_s").ok_or_else(|| Slip { line: 1, message: "no column `t_s`".to_owned() })?;
        let [input, output] = TOKEN_COLUMNS.map(|names| names.into_iter().find_map(column));
        let tokens = input.zip(output);
        Ok(Self { reader, record: csv::StringRecord::new(), time, tokens, last_s: 0.0 })
    }

    /// It has token columns.
    #[must_use]
    pub const fn has_tokens(&self) -> bool {
        self.tokens.is_some()
    }

    fn cell(&self, column: usize, most: f64) -> Result<f64, Slip> {
        let text = self.record.get(column).unwrap_or_default();
        let line = self.record.position().map_or(0, csv::Position::line);
        let number = text.parse::<f64>().ok().filter(|value| (0.0..=most).contains(value));
        number.ok_or_else(|| Slip { line, message: format!("`{text}` where a number from 0 to {most:.0} belongs") })
    }

    fn request(&mut self) -> Result<Request, Slip> {
        let t_s = self.cell(self.time, LATEST_S)?;
        if t_s < self.last_s {
            let line = self.record.position().map_or(0, csv::Position::line);
            return Err(Slip { line, message: format!("the request at {t_s} s comes after one at {} s", self.last_s) });
        }
        self.last_s = t_s;
        let (input_tokens, output_tokens) = match self.tokens {
            Some((input, output)) => (self.cell(input, LARGEST)?, self.cell(output, LARGEST)?),
            None => (0.0, 0.0),
        };
        Ok(Request { t_s, input_tokens, output_tokens })
    }
}

impl<R: Read> Iterator for Rows<R> {
    type Item = Result<Request, Slip>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.reader.read_record(&mut self.record) {
            Ok(false) => None,
            Ok(true) => Some(self.request()),
            Err(error) => Some(Err(slip(&error, self.reader.position().line()))),
        }
    }
}

fn slip(error: &csv::Error, line: u64) -> Slip {
    Slip { line: error.position().map_or(line, csv::Position::line), message: format!("no CSV: {error}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Result<Vec<Request>, Slip> {
        Rows::open(text.as_bytes())?.collect()
    }

    #[test]
    fn rows_come_with_or_without_tokens() {
        let with = rows("t_s,in_tok,out_tok\n0,5,7\n0.5,6,8\n").expect("sound");
        assert_eq!(with[1], Request { t_s: 0.5, input_tokens: 6.0, output_tokens: 8.0 });
        let without = rows("# a comment\nwhat,t_s\nx,3\n").expect("sound");
        assert_eq!(without, [Request { t_s: 3.0, input_tokens: 0.0, output_tokens: 0.0 }]);
    }

    #[test]
    fn faults_have_their_line() {
        let line = |text: &str| rows(text).expect_err("a fault").line;
        assert_eq!(line("t_s\n2\n1\n"), 3);
        assert_eq!(line("t_s,in_tok,out_tok\n1,2,3\n1,-2,3\n"), 3);
        assert_eq!(line("t_s\nNaN\n"), 2);
        assert_eq!(line("t_s,x\n1,2\n1\n"), 3);
        assert_eq!(line("time\n1\n"), 1);
    }
}
