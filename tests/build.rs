//! Lets the bundles that a test loads call the allocator of the test (`heap_watch`): the symbols of a program come
//! before those of the C library only if the program exports them.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux") {
        println!("cargo:rustc-link-arg-tests=-Wl,--export-dynamic");
    }
}
