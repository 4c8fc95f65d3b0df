//! CSV in and out for the commands that need no database.

use super::wrong;
use anyhow::{Context, Result};
use csv::{Reader, ReaderBuilder, StringRecord, Writer};
use std::{
    fs::File,
    io::{Read, Write},
    path::Path,
};

/// A table read from a file or, for `-`, from standard input.
pub(super) struct Table {
    name: String,
    header: StringRecord,
    reader: Reader<Box<dyn Read>>,
}

impl Table {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let input: Box<dyn Read> = if name == "-" {
            Box::new(std::io::stdin())
        } else {
            Box::new(File::open(path).map_err(|cause| wrong(format!("{name}: can't be read ({cause})")))?)
        };
        let mut reader = ReaderBuilder::new().trim(csv::Trim::All).from_reader(input);
        let header = reader.headers().map_err(|cause| wrong(format!("{name}:1: {cause}")))?.clone();
        Ok(Self { name, header, reader })
    }

    /// Where a column stands, if it is there.
    pub(super) fn find(&self, column: &str) -> Option<usize> {
        self.header.iter().position(|name| name.trim_start_matches('\u{feff}').eq_ignore_ascii_case(column))
    }

    /// Where a column stands.
    pub(super) fn column(&self, column: &str) -> Result<usize> {
        self.find(column).ok_or_else(|| {
            let there: Vec<&str> = self.header.iter().collect();
            wrong(format!("{}:1: there is no column `{column}`; there are {}", self.name, there.join(", ")))
        })
    }

    /// Reads every row; an error of `read` is told with file and line.
    pub(super) fn rows<T>(
        mut self,
        mut read: impl FnMut(&StringRecord) -> Result<T, String>,
    ) -> Result<Vec<T>> {
        let mut rows = Vec::new();
        let mut row = StringRecord::new();
        loop {
            match self.reader.read_record(&mut row) {
                Ok(false) => return Ok(rows),
                Ok(true) => {
                    let line = row.position().map_or(0, csv::Position::line);
                    rows.push(read(&row).map_err(|reason| wrong(format!("{}:{line}: {reason}", self.name)))?);
                }
                Err(cause) => return Err(wrong(format!("{}: {cause}", self.name))),
            }
        }
    }
}

/// A number in a row.
pub(super) fn number<T: std::str::FromStr>(
    row: &StringRecord,
    place: usize,
    name: &str,
) -> Result<T, String> {
    let text = row.get(place).unwrap_or_default();
    text.parse()
        .map_err(|_| format!("{name}: `{}` is not a number", text.chars().take(40).collect::<String>()))
}

/// Where a table goes: a file or standard output.
pub(super) fn output(out: Option<&Path>) -> Result<Writer<Box<dyn Write>>> {
    let output: Box<dyn Write> = match out {
        Some(path) if path.as_os_str() != "-" => {
            Box::new(File::create(path).with_context(|| format!("{}: can't be written", path.display()))?)
        }
        _ => Box::new(std::io::stdout().lock()),
    };
    Ok(Writer::from_writer(output))
}
