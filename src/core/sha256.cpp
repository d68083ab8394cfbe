#include "guidegen/core/sha256.hpp"

#include <openssl/evp.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

#include "guidegen/core/error.hpp"

namespace guidegen {
namespace {

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    if (!context_ || EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) != 1) {
      throw_failure("OpenSSL offers no SHA-256");
    }
  }

  void add(const void* bytes, size_t count) {
    if (EVP_DigestUpdate(context_.get(), bytes, count) != 1) throw_failure("SHA-256 failed");
  }

  std::string hex() {
    std::array<unsigned char, 32> digest{};
    unsigned int length = 0;
    if (EVP_DigestFinal_ex(context_.get(), digest.data(), &length) != 1 || length != 32) {
      throw_failure("SHA-256 failed");
    }
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    text.reserve(64);
    for (const unsigned char byte : digest) {
      text += kDigits[byte >> 4];
      text += kDigits[byte & 15];
    }
    return text;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

}  // namespace

std::string sha256_hex(std::string_view bytes) {
  Sha256 hash;
  hash.add(bytes.data(), bytes.size());
  return hash.hex();
}

std::string sha256_file(const std::filesystem::path& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"),
                                                             &std::fclose);
  if (!file) throw_failure(path.string(), ": cannot be read: ", std::strerror(errno));
  Sha256 hash;
  std::vector<char> chunk(size_t{1} << 20);
  for (;;) {
    const size_t count = std::fread(chunk.data(), 1, chunk.size(), file.get());
    hash.add(chunk.data(), count);
    if (count < chunk.size()) break;
  }
  if (std::ferror(file.get()) != 0) {
    throw_failure(path.string(), ": cannot be read: ", std::strerror(errno));
  }
  return hash.hex();
}

}  // namespace guidegen
