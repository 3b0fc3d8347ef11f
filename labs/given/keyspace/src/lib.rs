//! The data set: keys, values, expiry, databases, the commands on them, and RDB files
