mod loading;
mod vectors;
