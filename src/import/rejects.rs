//! Rows that can't be used: kept, told, and given back to be mended.

use serde::{Deserialize, Serialize};

/// A row that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reject {
    /// Its line in the file; the header is line 1.
    pub line: u64,
    /// The column to look at, where one is to blame.
    pub column: Option<String>,
    /// What is wrong and what to do.
    pub reason: String,
    /// The row, in the order of the header. Columns that the mapping does not use are empty: they are never kept.
    pub row: Vec<String>,
}

/// The rejected rows as a CSV file that can be mended and imported again: the columns of the file they came from, with
/// `line`, `column` and `reason` behind them.
///
/// A cell that a spreadsheet would take for a formula gets an apostrophe in front, except a plain number.
#[must_use]
pub fn rejects_csv(header: &[String], rejects: &[Reject]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let behind = ["line", "column", "reason"].map(str::to_owned);
    // Writing to memory does not fail; records of different lengths can't be, because every row is cut to the header.
    let mut write = |cells: Vec<String>| {
        let _ = writer.write_record(cells.iter().map(|cell| safe_cell(cell)));
    };
    write(header.iter().cloned().chain(behind).collect());
    for reject in rejects {
        let mut row = reject.row.clone();
        row.resize(header.len(), String::new());
        let behind =
            [reject.line.to_string(), reject.column.clone().unwrap_or_default(), reject.reason.clone()];
        write(row.into_iter().chain(behind).collect());
    }
    writer.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}

/// A cell that no spreadsheet takes for a formula: an apostrophe stands in front of what would be one.
#[must_use]
pub fn safe_cell(cell: &str) -> String {
    let begins = cell.trim_start().chars().next();
    let formula = begins.is_some_and(|c| "=+-@\u{ff1d}\u{ff0b}\u{ff0d}\u{ff20}".contains(c))
        || cell.starts_with(['\t', '\r', '\n']);
    if formula && cell.parse::<f64>().is_err() { format!("'{cell}") } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_go_out_as_a_file_that_can_be_mended() {
        let reject = Reject {
            line: 7,
            column: Some("Strand".into()),
            reason: "`rase` is not a strand; did you mean `race`?".into(),
            row: vec!["=HYPERLINK(\"x\")".into(), "-1.13".into(), "rase".into()],
        };
        let header = ["Reference", "Longitude", "Strand"].map(String::from);
        insta::assert_snapshot!(rejects_csv(&header, &[reject]), @r#"
        Reference,Longitude,Strand,line,column,reason
        "'=HYPERLINK(""x"")",-1.13,rase,7,Strand,`rase` is not a strand; did you mean `race`?
        "#);
    }
}
