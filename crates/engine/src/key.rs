//! Where rows stand: ordered keys.
