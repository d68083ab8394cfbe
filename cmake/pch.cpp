// Holds the precompiled header that every area with LibTorch reuses.
