//! What the fields of an event or an episode mean together.

use super::{File, values::date};
use std::ops::Range;
use toml::de::DeTable;

impl File<'_> {
    pub(super) fn entry_meaning(&mut self, table: &DeTable<'_>, at: Range<usize>) {
        let day = |name: &str| table.get(name).and_then(date);
        if let (Some(from), Some(to), Some(value)) = (day("from"), day("to"), table.get("to")) {
            if to < from {
                let message = format!("it ends on {to}, before it begins on {from}");
                self.wrong(value.span(), message, "exchange the two days, or correct the year");
            } else if let (Some(peak), Some(value)) = (day("peak"), table.get("peak"))
                && !(from..=to).contains(&peak)
            {
                let message = format!("the peak on {peak} is not between {from} and {to}");
                self.wrong(value.span(), message, "correct one of the three days");
            }
        }
        match (table.get("around"), table.get("within_metres")) {
            (Some(_), None) => {
                let remedy = "add for example  within_metres = 1500";
                self.missing(at, "`around` needs `within_metres`", remedy);
            }
            (None, Some(value)) => {
                let remedy = "add for example  around = { east = 458300, north = 303900 }";
                let span = value.span();
                self.missing(span, "`within_metres` of what? There is no `around`", remedy);
            }
            _ => {}
        }
        let area = ["wards", "districts", "csps"].into_iter().find(|name| table.contains_key(*name));
        if let (Some(value), Some(name)) = (table.get("around"), area) {
            let message = format!("the place is given twice: by `around` and by `{name}`");
            self.wrong(value.span(), message, "keep one of them");
        }
    }
}
