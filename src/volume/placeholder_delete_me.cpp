namespace guidegen {}
