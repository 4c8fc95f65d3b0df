//! From alerts to messages, and from the outbox to the mail server.
//!
//! In: an alert and what its reader needs beside it. Out: the bytes of a message, stored before they are sent; files or
//! an SMTP conversation.
