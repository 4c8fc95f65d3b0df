//! The command line: one file per command.
//!
//! In: arguments. Out: an exit code; 0 done, 1 the work failed, 2 the call or an input file is wrong.
