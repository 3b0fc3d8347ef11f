//! Chapter 0, the wire: your answers
