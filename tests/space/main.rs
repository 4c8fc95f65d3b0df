//! Space and time by themselves: reference answers for clusters and wards, and what every method promises of any input.

mod oracle;
mod scan;
