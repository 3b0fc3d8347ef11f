//! A whole Redis node as one machine without input or output
