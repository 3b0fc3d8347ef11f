//! Chapter 1, one master and one replica: your answers
