CREATE TABLE IF NOT EXISTS llama_bench (
  build_commit TEXT,
  build_number INTEGER,
  model_filename TEXT,
  n_prompt INTEGER,
  n_gen INTEGER,
  avg_ns INTEGER,
  avg_ts REAL
);

INSERT INTO llama_bench (build_commit, build_number, model_filename, n_prompt, n_gen, avg_ns, avg_ts) VALUES ('8cf427ff', '5163', 'models/Qwen2.5-7B-Instruct-Q4_K_M.gguf', '512', '128', '1000000000', '640.0');
