#include "guidegen/nn/accelerator.hpp"

#include <ATen/Context.h>
#include <dlfcn.h>

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "guidegen/core/error.hpp"
#include "guidegen/core/log.hpp"

namespace guidegen {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFileName = "libguidegen_cuda.so";

struct Loaded {
  Accelerator* accelerator = nullptr;
  std::string why_not;
};

/// Asks the driver alone: its library is there with every GPU and loads in milliseconds. Empty when
/// there is a GPU, else why not.
std::string why_no_gpu() {
  void* driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (driver == nullptr) return "this machine has no NVIDIA driver (libcuda.so.1)";
  using Init = int (*)(unsigned);
  using Count = int (*)(int*);
  const auto init = reinterpret_cast<Init>(dlsym(driver, "cuInit"));
  const auto count = reinterpret_cast<Count>(dlsym(driver, "cuDeviceGetCount"));
  if (init == nullptr || count == nullptr) return "libcuda.so.1 lacks cuInit or cuDeviceGetCount";
  int devices = 0;
  if (const int code = init(0); code != 0) {
    return concat("the NVIDIA driver doesn't start (cuInit returned ", code, ")");
  }
  if (const int code = count(&devices); code != 0 || devices == 0) {
    return "the NVIDIA driver reports no GPU";
  }
  return "";
}

std::vector<fs::path> candidates() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error).parent_path();
  if (error) return {};
  // Beside the program and one folder up: the build tree, for the program and its tests.
  return {program / kFileName, program.parent_path() / kFileName,
          program.parent_path() / "lib" / "guidegen" / kFileName};
}

/// The plug-in's file; empty when it is nowhere.
fs::path find_plugin() {
  if (const char* named = std::getenv("GUIDEGEN_CUDA_PLUGIN"); named != nullptr && *named != '\0') {
    return named;
  }
  for (const auto& path : candidates()) {
    if (std::error_code error; fs::exists(path, error)) return path;
  }
  return {};
}

Loaded load() {
  Loaded out;
  out.why_not = why_no_gpu();
  if (!out.why_not.empty()) return out;
  const auto fail = [&](const std::string& why) {
    out.why_not = why;
    log_warning(concat("there is a GPU, but it can't be used: ", why));
    return out;
  };
  const fs::path path = find_plugin();
  if (path.empty()) {
    return fail(concat(kFileName,
                       " is neither beside the program nor in ../lib/guidegen; set "
                       "GUIDEGEN_CUDA_PLUGIN to where it is"));
  }
  // Global, so that the libraries which it brings (torch_cuda) find each other's symbols.
  void* plugin = dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (plugin == nullptr) return fail(concat(path.string(), " doesn't load: ", dlerror()));
  using Entry = Accelerator* (*)(int);
  const auto entry = reinterpret_cast<Entry>(dlsym(plugin, "guidegen_accelerator"));
  out.accelerator = entry == nullptr ? nullptr : entry(Accelerator::kAbiVersion);
  if (out.accelerator == nullptr) {
    return fail(concat(path.string(), " is of another version of guidegen"));
  }
  if (out.accelerator->device_count() == 0) {
    out.accelerator = nullptr;
    return fail("CUDA's runtime reports no usable GPU (an older driver, or CUDA_VISIBLE_DEVICES)");
  }
  return out;
}

const Loaded& loaded() {
  static const Loaded once = load();
  return once;
}

/// The number after "cuda:".
int parse_index(const std::string& text) {
  const char* end = text.data() + text.size();
  int index = -1;
  const auto result = std::from_chars(text.data() + 5, end, index);
  if (result.ec != std::errc() || result.ptr != end || index < 0) {
    throw_usage("--device: '", text, "', expected auto, cpu, cuda or cuda:<number>");
  }
  return index;
}

}  // namespace

Accelerator* accelerator() { return loaded().accelerator; }

std::string why_no_accelerator() { return loaded().why_not; }

c10::Device resolve_device(const std::string& text, int local_rank) {
  if (text == "cpu") return c10::kCPU;
  const bool numbered = text.rfind("cuda:", 0) == 0;
  const int wanted = numbered ? parse_index(text) : local_rank;
  if (!numbered && text != "auto" && text != "cuda") {
    throw_usage("--device: '", text, "', expected auto, cpu, cuda or cuda:<number>");
  }
  Accelerator* gpu = accelerator();
  if (gpu == nullptr) {
    if (text == "auto") return c10::kCPU;
    throw_usage("--device ", text, ": ", why_no_accelerator());
  }
  const int count = gpu->device_count();
  if (numbered && wanted >= count) {
    throw_usage("--device ", text, ": this machine has ", count,
                " GPU(s), expected cuda:0 to cuda:", count - 1);
  }
  const int index = wanted % count;
  gpu->set_device(index);
  // float32 products with ten bits of mantissa on tensor cores, which LibTorch allows convolutions
  // only by default. What needs float32 here needs its range and its sums, which stay.
  at::globalContext().setAllowTF32CuBLAS(true);
  at::globalContext().setAllowTF32CuDNN(true);
  return {c10::kCUDA, static_cast<c10::DeviceIndex>(index)};
}

}  // namespace guidegen
