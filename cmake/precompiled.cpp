// What a precompiled header belongs to: a target with at least one file (cmake/WeirCompile.cmake).
int main() {}
