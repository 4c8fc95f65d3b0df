//! From findings to alerts with a life.
//!
//! In: the findings of a night and the alerts alive before it. Out: the alerts after it and who is to be told what. The
//! order of the steps is the meaning. Nothing here reads a clock, a file or a database.
