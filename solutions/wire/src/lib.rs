//! Chapter 0, the wire: reference answers
