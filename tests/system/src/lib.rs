//! End-to-end tests with real processes and sockets, real Redis beside ours
