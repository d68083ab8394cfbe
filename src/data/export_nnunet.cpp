#include <algorithm>

#include "guidegen/core/error.hpp"
#include "guidegen/core/files.hpp"
#include "guidegen/core/json.hpp"
#include "guidegen/core/progress.hpp"
#include "guidegen/core/stop_signal.hpp"
#include "guidegen/core/version.hpp"
#include "guidegen/data/dataset.hpp"
#include "guidegen/data/export_cases.hpp"
#include "guidegen/volume/labels.hpp"
#include "guidegen/volume/nifti.hpp"

namespace guidegen {
namespace {

namespace fs = std::filesystem;

/// Which class each label of ours becomes.
struct Classes {
  std::vector<std::string> names;  ///< of the classes 1, 2, …
  std::vector<int64_t> of_label;   ///< by our id; 0 is background

  bool changes_nothing() const {
    for (size_t id = 0; id < of_label.size(); ++id) {
      if (of_label[id] != static_cast<int64_t>(id)) return false;
    }
    return true;
  }
};

std::vector<int> labels_named(const std::string& name, const Vocabulary& vocabulary) {
  const auto group = vocabulary.groups().find(name);
  if (group != vocabulary.groups().end()) return group->second;
  return {vocabulary.id(name)};
}

Classes classes_of(const Vocabulary& vocabulary, const std::vector<std::string>& wanted) {
  Classes classes;
  classes.names = wanted;
  if (wanted.empty()) {
    for (const LabelInfo& label : vocabulary.labels()) {
      if (label.id != vocabulary.background()) classes.names.push_back(label.name);
    }
  }
  classes.of_label.assign(static_cast<size_t>(vocabulary.size()), 0);
  for (size_t i = 0; i < classes.names.size(); ++i) {
    for (const int id : labels_named(classes.names[i], vocabulary)) {
      int64_t& value = classes.of_label[static_cast<size_t>(id)];
      if (id == vocabulary.background()) {
        throw_usage("--labels: '", classes.names[i], "' is always there as 0, expected others");
      }
      if (value != 0) {
        throw_usage("--labels: '", classes.names[i], "' and '",
                    classes.names[static_cast<size_t>(value) - 1], "' share '",
                    vocabulary.label(id).name, "', expected labels and groups that do not overlap");
      }
      value = static_cast<int64_t>(i) + 1;
    }
  }
  return classes;
}

/// Name of a folder, given with or without a slash at its end.
std::string name_of(const fs::path& folder) {
  const fs::path normal = fs::absolute(folder).lexically_normal();
  return (normal.has_filename() ? normal : normal.parent_path()).filename().string();
}

void check_name(const fs::path& out) {
  const std::string name = name_of(out);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto is_word = [&](char c) {
    return is_digit(c) || c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  const bool fits = name.starts_with("Dataset") && name.size() > 11 &&
                    std::all_of(name.begin() + 7, name.begin() + 10, is_digit) && name[10] == '_' &&
                    std::all_of(name.begin() + 11, name.end(), is_word);
  if (!fits) {
    throw_usage("--out ", out.string(), ": '", name,
                "' is no name of a data set of nnU-Net, expected one like Dataset123_Guidegen");
  }
  if (fs::exists(out)) {
    throw_usage(out.string(), ": is there already, expected a new folder");
  }
}

/// A hard link, or a copy where there can be none.
void link_or_copy(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::create_hard_link(fs::canonical(from, error), to, error);
  if (!error) return;
  fs::copy_file(from, to, error);
  if (error) throw_failure(to.string(), ": cannot be written: ", error.message());
}

Volume mapped(const Volume& mask, const Classes& classes) {
  const at::Tensor table = at::tensor(classes.of_label, at::kLong);
  const auto count = static_cast<int64_t>(classes.names.size()) + 1;
  const at::Tensor values = table.index({mask.data.to(at::kLong)});
  return {values.to(label_type(count)).contiguous(), mask.geometry};
}

void add_case(const fs::path& folder, const fs::path& image, const fs::path& labels,
              const Vocabulary& vocabulary, const Classes& classes) {
  const fs::path ct_path = folder / "ct.nii.gz", mask_path = folder / "mask.nii.gz";
  const Volume mask = read_mask(mask_path, vocabulary.size());
  // Files that lie as we read them (in RAS) can stay as they are.
  if (same_geometry(validate_nifti(ct_path), mask.geometry)) {
    link_or_copy(ct_path, image);
  } else {
    const Volume ct = read_ct(ct_path);
    if (!same_geometry(ct.geometry, mask.geometry)) {
      throw_failure(ct_path.string(),
                    ": its grid differs from that of mask.nii.gz, expected one grid a case");
    }
    write_ct(image, ct);
  }
  if (classes.changes_nothing() && same_geometry(validate_nifti(mask_path), mask.geometry)) {
    link_or_copy(mask_path, labels);
  } else {
    write_mask(labels, mapped(mask, classes));
  }
}

Json dataset_json(const fs::path& out, const NnunetSummary& summary) {
  Json labels = {{"background", 0}};
  for (size_t i = 0; i < summary.classes.size(); ++i) labels[summary.classes[i]] = i + 1;
  return {{"name", name_of(out)},
          {"description", "Synthetic CT made by guidegen " + version()},
          {"channel_names", {{"0", "CT"}}},
          {"labels", std::move(labels)},
          {"numTraining", summary.training.size()},
          {"file_ending", ".nii.gz"}};
}

}  // namespace

NnunetSummary export_nnunet(const ExportSource& source, const fs::path& out,
                            const Vocabulary& vocabulary, const NnunetOptions& options) {
  check_name(out);
  const Classes classes = classes_of(vocabulary, options.labels);
  NnunetSummary summary;
  summary.classes = classes.names;
  for (const std::string& id : source.ids) {
    (is_validation_case(id, options.test_share) ? summary.test : summary.training).push_back(id);
  }
  if (summary.training.empty()) {
    throw_usage("--test-share ", options.test_share, ": leaves no case to train on, expected less");
  }
  AtomicDirectory staged(out);
  Progress progress("nnU-Net", static_cast<int64_t>(source.ids.size()));
  int64_t done = 0;
  const auto add_all = [&](const std::vector<std::string>& ids, const std::string& part) {
    const fs::path images = staged.staging() / ("images" + part);
    const fs::path labels = staged.staging() / ("labels" + part);
    make_directories(images);
    make_directories(labels);
    for (const std::string& id : ids) {
      throw_if_stopped();
      add_case(source.root / id, images / (id + "_0000.nii.gz"), labels / (id + ".nii.gz"),
               vocabulary, classes);
      progress.update(++done, id);
    }
  };
  add_all(summary.training, "Tr");
  if (!summary.test.empty()) add_all(summary.test, "Ts");
  write_file_atomic(staged.staging() / "dataset.json", dump_json(dataset_json(out, summary)));
  staged.commit();
  progress.finish();
  return summary;
}

}  // namespace guidegen
